/** How long to wait before an attempt; pure, so that a saga's decision can use it. */

export interface Backoff {
  firstMs: number;
  maxMs: number;
  factor: number;
}

/** Milliseconds after attempt number `attempt` (from 1) until the next one. */
export function delayOf(backoff: Backoff, attempt: number): number {
  return Math.min(backoff.maxMs, Math.round(backoff.firstMs * backoff.factor ** Math.max(0, attempt - 1)));
}

/**
 * The same with full jitter: anything from nothing to the whole delay, so that those who failed together do not come back
 * together.
 */
export function jitteredDelayOf(backoff: Backoff, attempt: number, random: () => number): number {
  return random() * delayOf(backoff, attempt);
}
