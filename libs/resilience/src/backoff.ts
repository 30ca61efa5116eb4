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
