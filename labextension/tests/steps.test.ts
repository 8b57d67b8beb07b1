import { describe, expect, it } from 'vitest';
import { joinSteps } from '../src/models/steps';
import { recorded } from './samples';

const shown = (recordedNames: string[], marks: string[]): string[] =>
  joinSteps(
    recordedNames.map(name => recorded(name)),
    marks
  ).map(({ name, state, cells }) => `${name} ${state} ${cells}`);

describe('joinSteps', () => {
  it.each<[string, string[], string[], string[]]>([
    ['nothing', [], [], []],
    ['only marked', [], ['a', 'b', 'a'], ['a unrun 2', 'b unrun 1']],
    ['only recorded', ['a', 'b'], [], ['a fresh 0', 'b fresh 0']],
    ['the order recorded', ['b', 'a'], ['a', 'b'], ['b fresh 1', 'a fresh 1']],
    ['a new one at the top', ['b'], ['a', 'b'], ['a unrun 1', 'b fresh 1']],
    ['after its neighbour', ['a', 'c'], ['a', 'b', 'c'], ['a fresh 1', 'b unrun 1', 'c fresh 1']],
    ['two in a row', ['a'], ['a', 'b', 'c'], ['a fresh 1', 'b unrun 1', 'c unrun 1']],
    ['beside a deleted one', ['a', 'x'], ['a', 'b'], ['a fresh 1', 'b unrun 1', 'x fresh 0']]
  ])('%s', (_, names, marks, rows) => {
    expect(shown(names, marks)).toEqual(rows);
  });

  it('keeps what flows', () => {
    const [row] = joinSteps([recorded('a', { state: 'stale', inputs: ['x'], outputs: ['y'] })], []);
    expect(row).toEqual({ name: 'a', state: 'stale', inputs: ['x'], outputs: ['y'], cells: 0 });
  });
});
