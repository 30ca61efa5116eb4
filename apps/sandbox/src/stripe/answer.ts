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

/** An error that is kept under the key of its request, because the provider has looked at the money before. */
export function refusal(error: StripeErrorBody['error'], status = 400): Answer {
  return { status, body: { error } };
}
