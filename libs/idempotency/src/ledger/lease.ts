/**
 * The right to work on a pending row until a deadline. Each claim and each take-over of a row has a token of its own, and
 * every finishing write repeats it: the fencing token.
 */
import { randomUUID } from 'node:crypto';
import { RetryableError } from '@shop/resilience';

export interface Lease {
  /** The process, for people who look at the row. */
  owner: string;
  durationMs: number;
}

/** Thrown when somebody else has taken the work over; whatever this owner found out must not be written. */
export class LeaseLostError extends RetryableError {
  constructor(key: string) {
    super(`the lease of ${key} was taken over`);
    this.name = 'LeaseLostError';
  }
}

export const newLeaseToken = (): string => randomUUID();
