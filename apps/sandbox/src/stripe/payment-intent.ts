/** A payment intent on the wire, as far as the SDK and its callers read it (https://docs.stripe.com/api/payment_intents/object). */

export const intentStatuses = [
  'requires_payment_method',
  'requires_confirmation',
  'requires_action',
  'processing',
  'requires_capture',
  'succeeded',
  'canceled',
] as const;
export type IntentStatus = (typeof intentStatuses)[number];

export const captureMethods = ['automatic', 'automatic_async', 'manual'] as const;
export type CaptureMethod = (typeof captureMethods)[number];

export const cancellationReasons = ['abandoned', 'duplicate', 'fraudulent', 'requested_by_customer'] as const;
/** `automatic` is the provider's own: nobody went on with the intent in time. */
export type CancellationReason = (typeof cancellationReasons)[number] | 'automatic';

export interface PaymentIntent {
  id: string;
  object: 'payment_intent';
  /** In Stripe's units of the currency. */
  amount: number;
  /** What is held on the card and can still be captured. */
  amount_capturable: number;
  amount_received: number;
  /** Seconds since 1970. */
  canceled_at: number | null;
  cancellation_reason: CancellationReason | null;
  capture_method: CaptureMethod;
  created: number;
  /** Lower case, three letters. */
  currency: string;
  /** Why the last attempt took no money. */
  last_payment_error: CardError | null;
  /** Null before the first attempt, and while the customer has not said yes. */
  latest_charge: string | null;
  livemode: false;
  metadata: Record<string, string>;
  /** Where the customer has to go, in `requires_action`. */
  next_action: { type: 'redirect_to_url'; redirect_to_url: { url: string; return_url: string | null } } | null;
  /** The source token; null after a failed attempt, because the intent then waits for another one. */
  payment_method: string | null;
  payment_method_options: { card: { request_multicapture?: 'if_available' } };
  status: IntentStatus;
}

export interface CardError {
  type: 'card_error';
  code: 'authentication_required' | 'card_declined' | 'payment_intent_authentication_failure' | 'processing_error';
  decline_code?: string;
  message: string;
}

export interface IntentForm {
  amount: number;
  currency: string;
  source?: string;
  metadata: Record<string, string>;
  captureMethod: CaptureMethod;
  /** Whether more than one capture was asked for. */
  multicapture?: true;
}

export interface CaptureForm {
  amount?: number;
  final: boolean;
  /** Is added to that of the intent. */
  metadata: Record<string, string>;
}

export function newPaymentIntent(form: IntentForm, { id, nowMs }: { id: string; nowMs: number }): PaymentIntent {
  return {
    id,
    object: 'payment_intent',
    amount: form.amount,
    amount_capturable: 0,
    amount_received: 0,
    canceled_at: null,
    cancellation_reason: null,
    capture_method: form.captureMethod,
    created: Math.floor(nowMs / 1_000),
    currency: form.currency,
    last_payment_error: null,
    latest_charge: null,
    livemode: false,
    metadata: form.metadata,
    next_action: null,
    payment_method: form.source ?? null,
    payment_method_options: { card: form.multicapture ? { request_multicapture: 'if_available' } : {} },
    status: form.source === undefined ? 'requires_payment_method' : 'requires_confirmation',
  };
}
