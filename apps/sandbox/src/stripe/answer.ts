/** The answer to a request, and how it is kept: under which key, for which parameters. */
import type { PaymentIntent } from './payment-intent';
import type { Refund } from './refund';
import type { StripeErrorBody } from './stripe-error';

export type MoneyBody = PaymentIntent | Refund | StripeErrorBody;

export interface Answer<Body extends object = MoneyBody> {
  status: number;
  body: Body;
  /** The answer was given before, under the same key. */
  replayed?: boolean;
}

/** Identifies a request: equal keys must come with equal fingerprints. */
export interface Call {
  key?: string;
  fingerprint: string;
}

export type Entry = Call & Pick<Answer, 'status' | 'body'>;

/** A line of the journal. */
export type JournalEntry = Entry | { forgetsKeys: true };

export function declined(intent: PaymentIntent, declineCode: string): Answer {
  return {
    status: 402,
    body: {
      error: {
        type: 'card_error',
        code: 'card_declined',
        decline_code: declineCode,
        message: declineCode === 'insufficient_funds' ? 'Your card has insufficient funds.' : 'Your card was declined.',
        payment_intent: intent,
      },
    },
  };
}

export function alreadyRefunded(intent: PaymentIntent, left: number): Answer {
  const message = `Payment ${intent.id} cannot be refunded by this much: ${left} of ${intent.amount_received} is left.`;
  return { status: 400, body: { error: { type: 'invalid_request_error', code: 'charge_already_refunded', message } } };
}
