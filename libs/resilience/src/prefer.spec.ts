import { preferredWaitMs } from './prefer';

describe('R31 preferredWaitMs', () => {
  it.each([
    ['wait=5', 5_000],
    ['respond-async, wait=10', 10_000],
    ['wait=9999', 30_000],
    ['wait=0', 0],
    ['wait=-1', undefined],
    ['handling=lenient', undefined],
    [undefined, undefined],
  ])('reads %p as %p ms', (header, expected) => {
    expect(preferredWaitMs(header)).toBe(expected);
  });
});
