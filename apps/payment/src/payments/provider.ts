/** What we ask of a payment provider. Every call carries our own idempotency key, so asking twice charges once. */

export interface ChargeRequest {
  idempotencyKey: string;
  paymentId: string;
  /** Minor units. */
  amount: number;
  /** ISO 4217, in either case. */
  currency: string;
  /** What the customer pays with: a token that the provider gave out. */
  source: string;
}

export type ChargeResult = { outcome: 'succeeded'; reference: string } | { outcome: 'declined'; reason: string };

export interface RefundRequest {
  idempotencyKey: string;
  /** Of the charge, as the provider named it. */
  reference: string;
  /** Minor units. */
  amount: number;
}

/**
 * Both calls throw a RetryableError when the outcome is not known (timeout, reset, 5xx, 429): ask again with the same
 * key. They throw a TerminalError when the provider refuses the request itself: our mistake, and nothing was moved.
 */
export interface Provider {
  charge(request: ChargeRequest): Promise<ChargeResult>;
  refund(request: RefundRequest): Promise<{ reference: string }>;
}

export const PROVIDER = Symbol('PROVIDER');
