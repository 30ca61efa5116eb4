/** A charge on the wire, as far as the SDK and its callers read it (https://docs.stripe.com/api/payment_intents/object). */

export interface PaymentIntent {
  id: string;
  object: 'payment_intent';
  /** In Stripe's units of the currency. */
  amount: number;
  amount_received: number;
  /** Lower case, three letters. */
  currency: string;
  status: 'succeeded' | 'requires_payment_method';
  metadata: Record<string, string>;
  /** The source token; null after a decline, because the intent then waits for another one. */
  payment_method: string | null;
  latest_charge: string;
  /** Why the last attempt took no money. */
  last_payment_error: CardError | null;
  /** Seconds since 1970. */
  created: number;
  livemode: false;
}

export interface CardError {
  type: 'card_error';
  code: 'card_declined';
  decline_code: string;
}

export interface ChargeForm {
  amount: number;
  currency: string;
  source: string;
  metadata: Record<string, string>;
}

export interface IntentContext {
  /** The issuer's reason, when it refuses. */
  declineCode?: string;
  /** A new one for each id. */
  newId: (prefix: 'pi' | 'ch') => string;
  nowMs: number;
}

export function newPaymentIntent(form: ChargeForm, { declineCode, newId, nowMs }: IntentContext): PaymentIntent {
  const paid = declineCode === undefined;
  return {
    id: newId('pi'),
    object: 'payment_intent',
    amount: form.amount,
    amount_received: paid ? form.amount : 0,
    currency: form.currency,
    status: paid ? 'succeeded' : 'requires_payment_method',
    metadata: form.metadata,
    payment_method: paid ? form.source : null,
    latest_charge: newId('ch'),
    last_payment_error: paid ? null : { type: 'card_error', code: 'card_declined', decline_code: declineCode },
    created: Math.floor(nowMs / 1_000),
    livemode: false,
  };
}
