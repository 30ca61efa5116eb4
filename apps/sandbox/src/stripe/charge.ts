/** A charge on the wire: what one attempt to pay an intent has done to the card (https://docs.stripe.com/api/charges/object). */
import type { PaymentIntent } from './payment-intent';

export interface Charge {
  id: string;
  object: 'charge';
  /** What was asked for, or is held. */
  amount: number;
  amount_captured: number;
  /** Without refunds that have failed. */
  amount_refunded: number;
  /** The last one that has brought money. */
  balance_transaction: string | null;
  captured: boolean;
  created: number;
  currency: string;
  disputed: boolean;
  failure_code: string | null;
  failure_message: string | null;
  livemode: false;
  metadata: Record<string, string>;
  paid: boolean;
  payment_intent: string;
  /** The source token. */
  payment_method: string;
  payment_method_details: { type: 'card'; card: { capture_before?: number } };
  /** Whether all of it was given back. */
  refunded: boolean;
  status: 'succeeded' | 'pending' | 'failed';
}

/** So long an issuer keeps money held for a payment over the internet. */
const HOLD_SECONDS = 7 * 24 * 60 * 60;

/** @param token the source of the attempt, which a failed intent does not have any more. */
export function newCharge(
  intent: PaymentIntent,
  { id, token, nowMs }: { id: string; token: string; nowMs: number },
): Charge {
  const created = Math.floor(nowMs / 1_000);
  const card = intent.capture_method === 'manual' ? { capture_before: created + HOLD_SECONDS } : {};
  const charge: Charge = {
    id,
    object: 'charge',
    amount: intent.amount,
    amount_captured: 0,
    amount_refunded: 0,
    balance_transaction: null,
    captured: false,
    created,
    currency: intent.currency,
    disputed: false,
    failure_code: null,
    failure_message: null,
    livemode: false,
    metadata: intent.metadata,
    paid: false,
    payment_intent: intent.id,
    payment_method: token,
    payment_method_details: { type: 'card', card },
    refunded: false,
    status: 'pending',
  };
  return chargeAfter(charge, intent);
}

/** The charge when its intent has gone on. */
export function chargeAfter(charge: Charge, intent: PaymentIntent): Charge {
  const { last_payment_error: error, amount_received: received } = intent;
  const status =
    intent.status === 'processing' ? 'pending' : intent.status === 'requires_payment_method' ? 'failed' : 'succeeded';
  return {
    ...charge,
    amount_captured: received,
    captured: received > 0,
    failure_code: status === 'failed' ? (error?.code ?? null) : null,
    failure_message: status === 'failed' ? (error?.message ?? null) : null,
    paid: status === 'succeeded',
    status,
  };
}

export function withRefunded(charge: Charge, amountRefunded: number): Charge {
  return { ...charge, amount_refunded: amountRefunded, refunded: amountRefunded === charge.amount_captured };
}
