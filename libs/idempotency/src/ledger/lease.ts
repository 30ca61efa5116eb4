/**
 * The right to work on a pending row until a deadline. Each claim and each take-over of a row has its own token, the
 * fencing token. Every write that finishes the work names this token.
 */
import { randomUUID } from 'node:crypto';
import { RetryableError } from '@shop/resilience';

export interface Lease {
  /** The name of the process, for people who read the row. */
  owner: string;
  durationMs: number;
}

/** Thrown when somebody else has taken the work over. This owner must not write its results. */
export class LeaseLostError extends RetryableError {
  constructor(key: string) {
    super(`the lease of ${key} was taken over`);
    this.name = 'LeaseLostError';
  }
}

export const newLeaseToken = (): string => randomUUID();
