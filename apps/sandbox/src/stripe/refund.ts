/** A refund on the wire, and its states (https://docs.stripe.com/api/refunds/object). */
import type { Charge } from './charge';
import { sourceOf } from './sources';

export interface Refund {
  id: string;
  object: 'refund';
  amount: number;
  balance_transaction: string;
  charge: string;
  created: number;
  currency: string;
  /** What brought the money back to the merchant. */
  failure_balance_transaction?: string;
  failure_reason?: 'lost_or_stolen_card' | 'expired_or_canceled_card' | 'unknown';
  metadata: Record<string, string>;
  payment_intent: string;
  status: 'pending' | 'succeeded' | 'failed';
}

export interface RefundForm {
  paymentIntent: string;
  /** When absent, everything that is left. */
  amount?: number;
  metadata: Record<string, string>;
}

interface NewRefund {
  id: string;
  amount: number;
  metadata: Record<string, string>;
  transaction: string;
  nowMs: number;
}

export function newRefund(charge: Charge, { id, amount, metadata, transaction, nowMs }: NewRefund): Refund {
  return {
    id,
    object: 'refund',
    amount,
    balance_transaction: transaction,
    charge: charge.id,
    created: Math.floor(nowMs / 1_000),
    currency: charge.currency,
    metadata,
    payment_intent: charge.payment_intent,
    status: sourceOf(charge.payment_method)?.refunds === 'pending' ? 'pending' : 'succeeded',
  };
}

/** Undefined when it does not wait. */
export function settledRefund(refund: Refund): Refund | undefined {
  return refund.status === 'pending' ? { ...refund, status: 'succeeded' } : undefined;
}

/** The bank sends the money back, sometimes long after the refund had succeeded. Undefined when it has failed already. */
export function failedRefund(refund: Refund, transaction: string): Refund | undefined {
  if (refund.status === 'failed') return undefined;
  const failure = { failure_reason: 'expired_or_canceled_card', failure_balance_transaction: transaction } as const;
  return { ...refund, status: 'failed', ...failure };
}
