/** What the provider may have forgotten, and when. */
import { memoryOf } from './asking-again';

const HOUR_MS = 3_600_000;

describe('R4 the memory of the provider', () => {
  it.each([
    [false, 0, 'new'],
    [true, 0, 'remembered'],
    [true, 23 * HOUR_MS - 1, 'remembered'],
    [true, 23 * HOUR_MS, 'fading'],
    [true, 25 * HOUR_MS - 1, 'fading'],
    [true, 25 * HOUR_MS, 'forgotten'],
    [true, 1_000 * HOUR_MS, 'forgotten'],
    // Its process slept between the claim and the call. Somebody else may have asked meanwhile.
    [false, 23 * HOUR_MS, 'fading'],
    [false, 25 * HOUR_MS, 'forgotten'],
  ])('of what was asked before: %p, after %d ms: %s', (askedBefore, ageMs, memory) => {
    expect(memoryOf({ askedBefore, ageMs })).toBe(memory);
  });
});
