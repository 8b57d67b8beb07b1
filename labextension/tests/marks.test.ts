import { describe, expect, it } from 'vitest';
import { markStep, stepOf, whyNoName } from '../src/models/marks';

describe('stepOf', () => {
  it.each([
    ['%%pipeline load\nx = 1', 'load'],
    ['%%pipeline load --params n=1\nx = 1', 'load'],
    ['\n  \n%%pipeline load\nx = 1', 'load'],
    ['%%track\n%%pipeline load\nx = 1', 'load'],
    ['%%pipeline load\n%%time\nx = 1', 'load'],
    ['%%pipeline\tload', 'load'],
    ['%%pipeline load  \r\nx = 1', 'load'],
    ['%%pipeline größe\nx = 1', 'größe'],
    ['%%pipeline\nx = 1', null],
    ['%%pipeline --in x\nx = 1', null],
    ['%%pipelines load', null],
    ['%pipeline run', null],
    ['x = 1\n%%pipeline load', null],
    ['%%time\n%%pipeline load', null],
    ['# a comment\n%%pipeline load', null],
    [' %%pipeline load', null],
    ['text = """\n%%pipeline load\n"""', null],
    ['', null],
    ['\n\n', null]
  ])('%j -> %j', (source, name) => {
    expect(stepOf(source)).toBe(name);
  });
});

describe('markStep', () => {
  it.each([
    ['x = 1', '%%pipeline train\nx = 1'],
    ['', '%%pipeline train\n'],
    ['%%time\nx = 1', '%%pipeline train\n%%time\nx = 1'],
    ['%%pipeline load\nx = 1', '%%pipeline train\nx = 1'],
    ['%%pipeline load --params n=1\nx = 1', '%%pipeline train --params n=1\nx = 1'],
    ['%%pipeline --in x\nx = 1', '%%pipeline train --in x\nx = 1'],
    ['%%pipeline\nx = 1', '%%pipeline train\nx = 1'],
    ['\n%%pipeline load\nx = 1', '\n%%pipeline train\nx = 1'],
    ['%%track best -e churn\n%%pipeline load\nx', '%%track best -e churn\n%%pipeline train\nx'],
    ['x = "%%pipeline load"', '%%pipeline train\nx = "%%pipeline load"']
  ])('%j -> %j', (source, marked) => {
    expect(markStep(source, 'train')).toBe(marked);
    expect(stepOf(marked)).toBe('train');
    expect(markStep(marked, 'train')).toBe(marked);
  });
});

describe('whyNoName', () => {
  it.each(['load', '_x', 'x1', 'größe', 'データ', 'match'])('takes %j', name => {
    expect(whyNoName(name)).toBeNull();
  });
  it.each(['', ' ', '1x', 'a b', 'a-b', 'a.b', 'class', 'None', 'x\ny', 'x;y', '../x'])(
    'refuses %j',
    name => {
      expect(whyNoName(name)).toContain(JSON.stringify(name));
    }
  );
});
