import { preferredWaitMs } from './prefer';

describe('R31 preferredWaitMs', () => {
  it.each([
    ['wait=5', 5_000],
    ['respond-async, wait=10', 10_000],
    ['wait=30', 30_000],
    ['wait=31', 30_000],
    ['wait=9999', 30_000],
    [`wait=${'9'.repeat(400)}`, 30_000],
    ['Wait = "7"; because=hurry', 7_000],
    ['respond-async,wait=2,wait=9', 2_000],
    ['note="x, wait=9", wait=3', 3_000],
    ['wait=0', 0],
    ['wait=1.5', undefined],
    ['wait=5s', undefined],
    ['wait', undefined],
    ['handling=lenient; wait=5', undefined],
    ['note="x, wait=5"', undefined],
    ['"wait=5', undefined],
    ['', undefined],
    ['wait=-1', undefined],
    ['handling=lenient', undefined],
    [undefined, undefined],
  ])('reads %p as %p ms', (header, expected) => {
    expect(preferredWaitMs(header)).toBe(expected);
  });
});
