/** The only search that is supported: by one metadata value, such as `metadata['orderId']:'7'`. */
import type { PaymentIntent } from './payment-intent';
import { invalidParameter } from './stripe-error';

const QUERY = /^\s*metadata\[(['"])([^'"]{1,40})\1\]\s*:\s*(['"])([^'"]{0,500})\3\s*$/;

/** @throws StripeError 400 for any other query. */
export function matcherOf(query: string | undefined): (intent: PaymentIntent) => boolean {
  const match = QUERY.exec(query ?? '');
  if (!match) throw invalidParameter('query', "The sandbox only searches for metadata['key']:'value'.");
  const [, , key, , value] = match;
  return ({ metadata }) => metadata[key!] === value;
}
