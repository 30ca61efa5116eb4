import fc from 'fast-check';
import { delayOf } from './backoff';

describe('delayOf', () => {
  const backoff = { firstMs: 100, maxMs: 1_000, factor: 2 };

  it('doubles from the first delay up to the largest', () => {
    expect([1, 2, 3, 4, 5, 6].map((attempt) => delayOf(backoff, attempt))).toEqual([100, 200, 400, 800, 1_000, 1_000]);
  });

  it('never shrinks and never passes the largest, for any attempt', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), (attempt) => {
        const delay = delayOf(backoff, attempt);
        expect(delay).toBeLessThanOrEqual(delayOf(backoff, attempt + 1));
        expect(delay).toBeLessThanOrEqual(backoff.maxMs);
      }),
    );
  });
});
