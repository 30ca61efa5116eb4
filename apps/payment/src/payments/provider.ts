/**
 * The calls that we make to a payment provider. Every call has our own idempotency key, so asking twice charges once.
 */

export interface ChargeRequest {
  idempotencyKey: string;
  paymentId: string;
  /** In minor units. */
  amount: number;
  /** ISO 4217, in upper or lower case. */
  currency: string;
  /** The token from the provider with which the customer pays. */
  source: string;
}

export type ChargeResult = { outcome: 'succeeded'; reference: string } | { outcome: 'declined'; reason: string };

export interface RefundRequest {
  idempotencyKey: string;
  /** The provider's name for the charge. */
  reference: string;
  /** In minor units. */
  amount: number;
}

/**
 * Both calls throw a RetryableError when the outcome is unknown (timeout, reset, 5xx, 429). Then ask again with the
 * same key. They throw a TerminalError when the provider refuses the request itself. That is our own mistake, and no
 * money moved.
 */
export interface Provider {
  charge(request: ChargeRequest): Promise<ChargeResult>;
  refund(request: RefundRequest): Promise<{ reference: string }>;
}

export const PROVIDER = Symbol('PROVIDER');
