import { describe, expect, it } from 'vitest';
import {
  isHidden,
  showCount,
  showMoment,
  showNumber,
  showSeconds,
  showVariable
} from '../src/components/words';

describe('showNumber', () => {
  it.each<[number | string, string]>([
    [0, '0'],
    [1, '1'],
    [-3, '-3'],
    [0.91, '0.91'],
    [0.8123456, '0.81235'],
    [1234.5678, '1234.6'],
    [123456, '123456'],
    [0.00012345, '0.00012345'],
    [0.000012345, '1.234e-5'],
    [2.3e-7, '2.3e-7'],
    [1e-10, '1e-10'],
    [12345678, '1.235e+7'],
    [1e300, '1e+300'],
    [5e-324, '4.941e-324'],
    ['NaN', 'NaN'],
    ['Infinity', '∞'],
    ['-Infinity', '−∞']
  ])('%j -> %s', (value, text) => {
    expect(showNumber(value)).toBe(text);
  });
});

describe('showSeconds', () => {
  it.each([
    [0, '0 ms'],
    [0.0123, '12 ms'],
    [1.26, '1.3 s'],
    [75, '1 min 15 s'],
    [119.7, '2 min 0 s']
  ])('%d -> %s', (seconds, text) => {
    expect(showSeconds(seconds)).toBe(text);
  });
});

describe('showMoment', () => {
  const noon = new Date(2026, 10, 21, 12, 0).getTime() / 1000;
  it('is short today', () => {
    expect(showMoment(noon - 60, noon)).toMatch(/^11:59/);
  });
  it('has its date on another day', () => {
    expect(showMoment(noon - 86_400, noon)).toMatch(/20/);
  });
});

describe('showVariable', () => {
  it.each([
    ['customers', 'customers', false],
    ['~file:data/a:b.csv', 'data/a:b.csv', false],
    ['~environ:HOME', '$HOME', true],
    ['~cwd', 'working folder', true],
    ['~random', 'random state', true],
    ['~numpy.random', 'numpy.random state', true],
    ['~pandas.options', 'pandas options', true],
    ['~something.new', 'something new', true]
  ])('%s -> %s', (variable, text, hidden) => {
    expect(showVariable(variable)).toBe(text);
    expect(isHidden(variable)).toBe(hidden);
  });
});

describe('showCount', () => {
  it.each([
    [0, '0 steps'],
    [1, '1 step'],
    [2, '2 steps']
  ])('%d -> %s', (count, text) => {
    expect(showCount(count, 'step')).toBe(text);
  });
});
