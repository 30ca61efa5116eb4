/** Errors in Stripe's format (https://docs.stripe.com/api/errors), so that the SDK throws the same errors as with Stripe. */
import type { PaymentIntent } from './payment-intent';

export interface StripeErrorBody {
  error: {
    type: 'api_error' | 'card_error' | 'idempotency_error' | 'invalid_request_error';
    message: string;
    code?: string;
    decline_code?: string;
    param?: string;
    /** As it is now, when the error is about it. */
    payment_intent?: PaymentIntent;
  };
}

/** Thrown when a request is answered with an error that is not kept under its idempotency key. */
export class StripeError extends Error {
  readonly body: StripeErrorBody;

  constructor(
    readonly status: number,
    error: StripeErrorBody['error'],
    readonly headers: Record<string, string> = {},
  ) {
    super(error.message);
    this.name = 'StripeError';
    this.body = { error };
  }
}

export function invalidParameter(param: string, message: string): StripeError {
  const code = message.startsWith('Missing') ? 'parameter_missing' : 'parameter_invalid';
  return new StripeError(400, { type: 'invalid_request_error', code, param, message });
}

/** 404 for the object a request is about, 400 for one that it only names in a parameter. */
export function missing(
  what: string,
  id: string,
  { status, param }: { status: 400 | 404; param: string },
): StripeError {
  const message = `No such ${what}: '${id}'`;
  return new StripeError(status, { type: 'invalid_request_error', code: 'resource_missing', param, message });
}

export function unknownRoute(method: string, path: string): StripeError {
  return new StripeError(404, {
    type: 'invalid_request_error',
    message: `Unrecognized request URL (${method}: ${path}). The sandbox speaks only a part of the API.`,
  });
}

export function keyReused(key: string): StripeError {
  return new StripeError(400, {
    type: 'idempotency_error',
    message: `Keys for idempotent requests can only be used with the same parameters they were first used with: '${key}'.`,
  });
}

export function keyInUse(key: string): StripeError {
  return new StripeError(409, {
    type: 'idempotency_error',
    code: 'idempotency_key_in_use',
    message: `There is currently another in-progress request using this idempotency key: '${key}'.`,
  });
}

export function rateLimited(): StripeError {
  const error = {
    type: 'invalid_request_error',
    code: 'rate_limit',
    message: 'Too many requests; try again.',
  } as const;
  return new StripeError(429, error, { 'retry-after': '1' });
}

export function unavailable(): StripeError {
  return new StripeError(500, { type: 'api_error', message: 'Something went wrong on our end; nothing was charged.' });
}
