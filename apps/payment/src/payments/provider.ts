/**
 * The calls that we make to a payment provider. Every call has our own idempotency key, so asking twice charges once.
 */

export interface ChargeRequest {
  idempotencyKey: string;
  paymentId: string;
  /** In minor units. */
  amount: number;
  /** ISO 4217, in capital letters. */
  currency: string;
  /** The token from the provider with which the customer pays. Only `charge` gets it in clear. */
  source: string;
}

export type ChargeResult = { outcome: 'succeeded'; reference: string } | { outcome: 'declined'; reason: string };

export interface RefundRequest {
  idempotencyKey: string;
  /** The provider's name for the charge. */
  reference: string;
  /** In minor units. */
  amount: number;
  /** Of the charge. Absent in work that an earlier version has begun: the amount is then in the provider's units. */
  currency?: string;
}

/**
 * Both requests throw a RetryableError when the outcome is unknown (timeout, reset, 5xx, 429). Then ask again with the
 * same key. They throw a TerminalError when the provider refuses the request itself. That is our own mistake, and no
 * money moved.
 */
export interface Provider {
  charge(request: ChargeRequest): Promise<ChargeResult>;
  refund(request: RefundRequest): Promise<{ reference: string }>;
  /**
   * The outcome of a charge that was asked for before. It is found by our id, which the charge carries, and not by the
   * key. Undefined if the provider shows none. A charge may be shown up to an hour after it was made.
   * @throws when nobody can tell
   */
  findCharge(request: ChargeRequest): Promise<ChargeResult | undefined>;
  /** The same for a refund that was not turned down. It is shown at once. */
  findRefund(request: RefundRequest): Promise<{ reference: string } | undefined>;
}

/** Enough to use the provider's whole rate limit. More calls would only move the queue to the other side. */
export const MAX_CALLS = 64;

export const PROVIDER = Symbol('PROVIDER');
