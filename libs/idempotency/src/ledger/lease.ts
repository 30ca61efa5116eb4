/** The right to work on a pending row until a deadline; every finishing write repeats its token. */
import { randomUUID } from 'node:crypto';
import { RetryableError } from '@shop/resilience';

export interface Lease {
  /** The process, for people who look at the row. */
  owner: string;
  /** The fencing token: a new one for each claim and each take-over. */
  token: string;
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
