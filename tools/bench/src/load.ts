/** Ways to put a load on something, and statistics of the times that it took. */
import type { Posting } from '@shop/system';

/** `perSecond` items start each second, whether or not earlier ones have ended. */
export async function inOpenLoop<T>(
  items: readonly T[],
  perSecond: number,
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  const began = performance.now();
  const running: Promise<unknown>[] = [];
  for (const [index, item] of items.entries()) {
    const wait = began + (index * 1_000) / perSecond - performance.now();
    if (wait > 0) await pause(wait);
    running.push(work(item));
  }
  await Promise.all(running);
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Two kinds of work in turn, each `rounds` times: a b b a a b …, so that what changes with time, such as caches that
 * fill and tables that grow, affects both in the same way.
 */
export function inTurn<A, B>(a: A, b: B, rounds: number): (A | B)[] {
  return Array.from({ length: rounds }, (_, round) => (round % 2 === 0 ? [a, b] : [b, a])).flat();
}

export interface Percentiles {
  p50: number;
  p95: number;
  p99: number;
}

export function percentiles(samples: readonly number[]): Percentiles {
  const sorted = [...samples].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}

/** The mean of the two in the middle when their number is even. */
export function median(samples: readonly number[]): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? 0;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[sorted.length / 2 - 1] ?? 0)) / 2;
}

/** The same order of one piece of this product. */
export function onePieceOf(sku: string, posting: Posting): Posting {
  return { ...posting, body: { ...posting.body, items: [{ sku, quantity: 1 }] } };
}
