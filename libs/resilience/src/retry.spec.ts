import { seededRandom } from '@shop/testing';
import { jitteredDelayOf } from './backoff';
import { retryAfter } from './retry';

const backoff = { firstMs: 100, maxMs: 1_000, factor: 2 };
const limits = { maxTries: 3, backoff };
const AGAIN = { isRetryable: true, isOutage: true };
const failed = { verdict: AGAIN, tries: 1, leftMs: 60_000 };

describe('R43 retryAfter', () => {
  it('R43 makes no other try of what cannot succeed, of the last try, and without time', () => {
    const final = { isRetryable: false, isOutage: false };
    expect(retryAfter({ ...failed, verdict: final }, limits, () => 0)).toEqual({ givenUp: 'final' });
    expect(retryAfter({ ...failed, tries: 2 }, limits, () => 0)).toEqual({ waitMs: 0 });
    expect(retryAfter({ ...failed, tries: 3 }, limits, () => 0)).toEqual({ givenUp: 'tries' });
    expect(retryAfter({ ...failed, leftMs: 51 }, limits, () => 0.5)).toEqual({ waitMs: 50 });
    expect(retryAfter({ ...failed, leftMs: 50 }, limits, () => 0.5)).toEqual({ givenUp: 'time' });
    expect(retryAfter({ ...failed, leftMs: -1 }, limits, () => 0)).toEqual({ givenUp: 'time' });
  });

  it('R43 comes back no earlier than it was asked to, or not at all', () => {
    const told = { ...failed, retryAfterMs: 2_000 };
    expect(retryAfter(told, limits, () => 0)).toEqual({ waitMs: 2_000 });
    expect(retryAfter(told, limits, () => 0.5)).toEqual({ waitMs: 2_050 });
    expect(retryAfter({ ...told, leftMs: 2_000 }, limits, () => 0)).toEqual({ givenUp: 'time' });
  });
});

describe('R43 jitteredDelayOf', () => {
  it.each([
    [1, 100],
    [2, 200],
    [4, 800],
    [9, 1_000],
  ])('R43 spreads the waits after try %i evenly between nothing and %i ms', (attempt, most) => {
    const { next } = seededRandom(43);
    const tenths = Array.from({ length: 10 }, () => 0);
    for (let n = 0; n < 10_000; n++) {
      const delay = jitteredDelayOf(backoff, attempt, next);
      expect(delay).toBeLessThan(most);
      tenths[Math.floor((delay / most) * 10)]! += 1;
    }
    // A fair die with ten faces: 1,000 each, and 4 standard deviations are 120.
    for (const count of tenths) expect(Math.abs(count - 1_000)).toBeLessThan(120);
  });
});
