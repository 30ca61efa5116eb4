/** A PaymentIntent of Stripe (https://docs.stripe.com/payments/paymentintents/lifecycle) in our own words. Pure. */
import { RetryableError } from '@shop/resilience';
import type Stripe from 'stripe';
import type { Intent } from './intent';

type Shown = Pick<Stripe.PaymentIntent, 'id' | 'status'> &
  Partial<Pick<Stripe.PaymentIntent, 'last_payment_error' | 'next_action'>>;

/** In the order in which they tell what became of a charge, if several intents were made for it. */
const TELLING: Stripe.PaymentIntent.Status[] = [
  'succeeded',
  'requires_capture',
  'processing',
  'requires_action',
  'requires_confirmation',
  'requires_payment_method',
  'canceled',
];

/** @throws RetryableError for an answer that tells nothing */
export function intentOf({ id: reference, status, last_payment_error: error, next_action: action }: Shown): Intent {
  switch (status) {
    case 'succeeded':
      return { reference, status: 'succeeded' };
    case 'processing':
      return { reference, status: 'processing' };
    case 'requires_capture':
      return { reference, status: 'authorized' };
    case 'canceled':
      return { reference, status: 'cancelled' };
    case 'requires_action': {
      const url = action?.redirect_to_url?.url;
      if (url) return { reference, status: 'requires_action', url };
      throw new RetryableError(`the charge ${reference} waits for something that has no page`);
    }
    case 'requires_confirmation':
      return { reference, status: 'unconfirmed' };
    case 'requires_payment_method':
      return error ? { reference, status: 'declined', reason: declineOf(error) } : { reference, status: 'unconfirmed' };
    default:
      throw new RetryableError(`the charge ${reference} is ${String(status)}`);
  }
}

/** The stable code for which a payment was declined. */
export const declineOf = ({ decline_code: declineCode, code }: { decline_code?: string; code?: string }): string =>
  declineCode || code || 'card_declined';

/** The intent that tells most about a charge. */
export function likeliest<One extends Pick<Shown, 'status'>>(intents: readonly One[]): One | undefined {
  return [...intents].sort((a, b) => TELLING.indexOf(a.status) - TELLING.indexOf(b.status))[0];
}
