import { inTurn, median, percentiles } from './load';

describe('percentiles', () => {
  it('are samples, in whatever order they came', () => {
    const samples = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect(percentiles(samples)).toEqual({ p50: 51, p95: 96, p99: 100 });
  });

  it('of one sample are that sample, and of none 0', () => {
    expect(percentiles([7])).toEqual({ p50: 7, p95: 7, p99: 7 });
    expect(percentiles([])).toEqual({ p50: 0, p95: 0, p99: 0 });
  });
});

describe('median', () => {
  it('is the sample in the middle, or the mean of the two in the middle', () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([4, 1, 9, 2])).toBe(3);
    expect(median([])).toBe(0);
  });
});

describe('inTurn', () => {
  it('lets each kind go first as often as the other', () => {
    expect(inTurn('a', 'b', 3)).toEqual(['a', 'b', 'b', 'a', 'a', 'b']);
  });
});
