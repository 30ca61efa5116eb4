/** Sorts the errors of Stripe's SDK by what has to be done next. Pure. */
import { RetryableError, retryAfterMsOf, TerminalError } from '@shop/resilience';
import Stripe from 'stripe';
import type { Intent } from './intent';
import { declineOf, intentOf } from './stripe-intent';

/**
 * Request timeout, conflict with the same request in progress, failed dependency, rate limit: there is no answer yet.
 */
const UNDECIDED_STATUSES = [408, 409, 424, 429];
/**
 * Access was denied. The provider has not read this request, and an earlier request under the same key may have
 * succeeded.
 */
const UNREAD_STATUSES = [401, 403];

/**
 * What an error says about the intent that the request was for: the bank or the provider has declined it, or it is in a
 * state in which the request has no meaning. Undefined if the error says nothing about it.
 */
export function intentOfError(error: unknown, reference: string): Intent | undefined {
  if (!(error instanceof Stripe.errors.StripeError)) return undefined;
  const intent = error.payment_intent;
  if (error.rawType === 'card_error') {
    return { status: 'declined', reference, reason: declineOf(error) };
  }
  // The customer sends the source. So a source that the provider does not know is a refusal, and not our own mistake.
  if (error.code === 'resource_missing' && error.param === 'payment_method') {
    return { status: 'declined', reference, reason: 'unknown_source' };
  }
  return error.code === 'payment_intent_unexpected_state' && intent ? intentOf(intent) : undefined;
}

/** The key belongs to a request with other parameters. The outcome of that request is unknown. */
export const isKeyReused = (error: unknown): boolean =>
  error instanceof Stripe.errors.StripeError && error.rawType === 'idempotency_error';

export function failureOf(error: unknown): RetryableError | TerminalError {
  if (error instanceof RetryableError || error instanceof TerminalError) return error;
  if (!(error instanceof Stripe.errors.StripeError)) return new RetryableError('the provider failed', { cause: error });
  const { statusCode = 0, headers } = error;
  const message = `the provider answered ${statusCode || 'nothing'}: ${error.message}`;
  if (isRefusal(error, statusCode)) return new TerminalError(message, { cause: error });
  return new RetryableError(message, {
    cause: error,
    retryAfterMs: retryAfterMsOf(headers?.['retry-after'], headers?.['date']),
  });
}

/** Whether the provider has judged this very request. Then no money moved, and none will. */
function isRefusal({ rawType }: Stripe.errors.StripeError, status: number): boolean {
  if (rawType === 'idempotency_error') return false;
  return status >= 400 && status < 500 && ![...UNDECIDED_STATUSES, ...UNREAD_STATUSES].includes(status);
}
