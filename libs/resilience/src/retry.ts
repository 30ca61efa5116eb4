/** Whether a failed try is followed by another one, and when. Pure. */
import { type Backoff, jitteredDelayOf } from './backoff';
import { TerminalError } from './errors';
import type { Verdict } from './failure';

export interface Tried {
  verdict: Verdict;
  retryAfterMs?: number;
  /** How many tries there were, from 1. */
  tries: number;
  /** Until the end of the time for the whole call. */
  leftMs: number;
}

export interface RetryLimits {
  maxTries: number;
  backoff: Backoff;
}

/** Why there is no other try. `final`: it would end in the same way. */
export type GivenUp = 'final' | 'tries' | 'time';

/**
 * Never earlier than the dependency has asked for; then the random part comes on top, so that not all who were told the
 * same come together. A wait that would end behind the time of the call is not begun.
 */
export function retryAfter(
  { verdict, retryAfterMs = 0, tries, leftMs }: Tried,
  { maxTries, backoff }: RetryLimits,
  random: () => number,
): { waitMs: number } | { givenUp: GivenUp } {
  if (!verdict.isRetryable) return { givenUp: 'final' };
  if (tries >= maxTries) return { givenUp: 'tries' };
  const waitMs = retryAfterMs + jitteredDelayOf(backoff, tries, random);
  return waitMs < leftMs ? { waitMs } : { givenUp: 'time' };
}

/** Thrown when a call may be retried, although a second one might do its work twice. A mistake of ours: nothing was sent. */
export class UnsafeRetryError extends TerminalError {
  constructor(dependency: string) {
    super(`a call of ${dependency} that is not idempotent may be retried only with an idempotency key`);
    this.name = 'UnsafeRetryError';
  }
}
