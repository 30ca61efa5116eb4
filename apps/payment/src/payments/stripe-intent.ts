/** A PaymentIntent of Stripe (https://docs.stripe.com/payments/paymentintents/lifecycle) in our own words. Pure. */
import { amountOfProvider } from '@shop/contracts';
import { RetryableError } from '@shop/resilience';
import type Stripe from 'stripe';
import type { Intent } from './intent';

type Shown = Pick<Stripe.PaymentIntent, 'id' | 'status'> & Partial<Pick<Stripe.PaymentIntent, Told>>;
type Told =
  | 'last_payment_error'
  | 'next_action'
  | 'capture_method'
  | 'amount_received'
  | 'currency'
  | 'metadata'
  | 'latest_charge';

/** Of our names for captures. Each is a member of the intent's metadata. */
const CAPTURE = /^cap_/;

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
export function intentOf(shown: Shown): Intent {
  const { id: reference, status, last_payment_error: error, next_action: action } = shown;
  switch (status) {
    case 'succeeded':
      return { reference, status: 'succeeded', ...capturedOf(shown) };
    case 'processing':
      return { reference, status: 'processing' };
    case 'requires_capture':
      return { reference, status: 'authorized', until: heldUntil(shown), ...capturedOf(shown) };
    case 'canceled':
      return { reference, status: 'cancelled', ...capturedOf(shown) };
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

/** What was taken of money that was held first. */
function capturedOf(shown: Shown): Pick<Intent, 'captured' | 'captures'> {
  const { capture_method: method, amount_received: units, currency, metadata = {} } = shown;
  if (method !== 'manual' || units === undefined || currency === undefined) return {};
  const captures = Object.keys(metadata).filter((name) => CAPTURE.test(name));
  return { captured: amountOfProvider(units, currency.toUpperCase()), captures };
}

/** The time is told with the charge, if the charge is. */
function heldUntil({ latest_charge: charge }: Shown): string | undefined {
  const seconds = typeof charge === 'object' ? charge?.payment_method_details?.card?.capture_before : undefined;
  return seconds === undefined ? undefined : new Date(seconds * 1_000).toISOString();
}

/** The stable code for which a payment was declined. */
export const declineOf = ({ decline_code: declineCode, code }: { decline_code?: string; code?: string }): string =>
  declineCode || code || 'card_declined';

/** The intent that tells most about a charge. */
export function likeliest<One extends Pick<Shown, 'status'>>(intents: readonly One[]): One | undefined {
  return [...intents].sort((a, b) => TELLING.indexOf(a.status) - TELLING.indexOf(b.status))[0];
}
