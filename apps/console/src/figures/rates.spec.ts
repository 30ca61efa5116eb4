import { type Frame, frameOf } from './frame';
import { readSamples, type Sample } from './prometheus-text';
import { gaugeSum, quantileOf, rateOf, totalsBy } from './rates';

const samples = (text: string): Sample[] => readSamples(text, () => true);
const known = (text: string) => new Map(samples(text).map((sample) => [sample.key, sample]));
const rest = { at: 0, seconds: 2, moments: [] };

function frame(before: string | undefined, now: string): Frame {
  return frameOf(
    [{ service: 'order', before: before === undefined ? undefined : known(before), now: samples(now) }],
    rest,
  );
}

describe('a frame', () => {
  it('has what a counter has grown by', () => {
    expect(rateOf([frame('a_total 4', 'a_total 10')], { name: 'a_total' })).toBe(3);
  });

  it('has all of a counter that was not there before, in a process that was', () => {
    expect(rateOf([frame('', 'a_total 10')], { name: 'a_total' })).toBe(5);
  });

  it('has nothing of a process that is seen for the first time: nobody knows when it counted', () => {
    expect(rateOf([frame(undefined, 'a_total 1000')], { name: 'a_total' })).toBe(0);
  });

  it('has what a process has counted since it started again', () => {
    expect(rateOf([frame('a_total 1000', 'a_total 6')], { name: 'a_total' })).toBe(3);
  });

  it('adds up the counters of replicas, and takes what all of them report once', () => {
    const before = known('a_total 0');
    const looks = ['a_total 2\nb 7', 'a_total 4\nb 8'].map((text) => ({
      service: 'order',
      before,
      now: samples(text),
    }));
    const both = frameOf(looks, rest);
    expect(rateOf([both], { name: 'a_total' })).toBe(3);
    expect(gaugeSum(both, { name: 'b' })).toBe(8);
  });
});

describe('totals', () => {
  it('are of the labels that are asked for', () => {
    const one = frame('x{} 0', 'a_total{b="1",c="2"} 4\na_total{b="1",c="3"} 1\na_total{b="2",c="2"} 2');
    expect(totalsBy([one, one], { name: 'a_total' }, ['b'])).toEqual([
      { labels: { b: '1' }, value: 10 },
      { labels: { b: '2' }, value: 4 },
    ]);
    expect(totalsBy([one], { name: 'a_total', where: { c: '2', service: 'order' } }, ['c'])).toMatchObject([
      { value: 6 },
    ]);
  });
});

describe('a gauge', () => {
  it('that nobody shows is not 0', () => {
    expect(gaugeSum(frame('', 'a 1'), { name: 'b' })).toBeNull();
    expect(gaugeSum(undefined, { name: 'b' })).toBeNull();
  });
});

describe('a quantile', () => {
  const text = (counts: number[]) =>
    ['0.1', '0.5', '1', '+Inf'].map((le, index) => `t_bucket{le="${le}"} ${counts[index]}`).join('\n');
  const of = (counts: number[], part: number) =>
    quantileOf([frame(text([0, 0, 0, 0]), text(counts))], part, { name: 't' });

  it.each([
    ['in the middle of the first bucket', [10, 10, 10, 10], 0.5, 0.05],
    ['in the middle of the second bucket', [0, 10, 10, 10], 0.5, 0.3],
    ['at a bound', [5, 10, 10, 10], 0.5, 0.1],
    ['above the last bound', [0, 0, 0, 10], 0.99, 1],
    ['of one that was slow', [99, 99, 100, 100], 0.995, 0.75],
  ])('is %s', (_, counts, part, expected) => {
    expect(of(counts, part)).toBeCloseTo(expected, 10);
  });

  it('of nothing is nothing', () => {
    expect(of([0, 0, 0, 0], 0.5)).toBeNull();
    expect(quantileOf([], 0.5, { name: 't' })).toBeNull();
  });
});
