/** A refund on the wire (https://docs.stripe.com/api/refunds/object). */
import type { PaymentIntent } from './payment-intent';

export interface Refund {
  id: string;
  object: 'refund';
  amount: number;
  currency: string;
  payment_intent: string;
  charge: string;
  status: 'succeeded';
  metadata: Record<string, string>;
  created: number;
}

export interface RefundForm {
  paymentIntent: string;
  /** When absent, everything that is left. */
  amount?: number;
  metadata: Record<string, string>;
}

export function newRefund(
  intent: PaymentIntent,
  { id, amount, metadata, nowMs }: { id: string; amount: number; metadata: Record<string, string>; nowMs: number },
): Refund {
  return {
    id,
    object: 'refund',
    amount,
    currency: intent.currency,
    payment_intent: intent.id,
    charge: intent.latest_charge,
    status: 'succeeded',
    metadata,
    created: Math.floor(nowMs / 1_000),
  };
}
