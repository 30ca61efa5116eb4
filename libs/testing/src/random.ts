// Random numbers that a seed repeats, so that a test that failed by chance can be run again.

export interface SeededRandom {
  readonly seed: number;
  /** In [0, 1). */
  next(): number;
  /** A whole number in [0, below). */
  int(below: number): number;
  /** Throws RangeError for an empty list. */
  pick<T>(items: readonly T[]): T;
  /** A new list; the given one stays as it is. */
  shuffle<T>(items: readonly T[]): T[];
}

/** Only the lower 32 bits of the seed count. Good enough to vary tests, useless for secrets. */
export function seededRandom(seed: number): SeededRandom {
  let state = seed >>> 0;
  // mulberry32 by Tommy Ettinger: 32 bits of state, and every seed is good.
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const int = (below: number): number => Math.floor(next() * below);
  return {
    seed,
    next,
    int,
    pick<T>(items: readonly T[]): T {
      if (items.length === 0) throw new RangeError('nothing can be picked from an empty list');
      return items[int(items.length)] as T;
    },
    shuffle<T>(items: readonly T[]): T[] {
      // Fisher and Yates: each order is equally likely.
      const shuffled = [...items];
      for (let i = shuffled.length - 1; i > 0; i -= 1) {
        const j = int(i + 1);
        [shuffled[i], shuffled[j]] = [shuffled[j] as T, shuffled[i] as T];
      }
      return shuffled;
    },
  };
}
