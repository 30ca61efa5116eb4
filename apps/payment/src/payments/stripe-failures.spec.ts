/** What each error of Stripe's SDK says about the money. */
import { RetryableError, TerminalError } from '@shop/resilience';
import Stripe from 'stripe';
import { type ShownError, shownIntent } from '../../testing/provider-server';
import { failureOf, intentOfError, isKeyReused } from './stripe-failures';

/** As the SDK makes it from an answer. */
const errorOf = (statusCode: number, error: ShownError, headers: Record<string, string> = {}) =>
  Stripe.errors.StripeError.generate({ ...error, statusCode, headers } as unknown as Stripe.StripeRawError);

const told = (statusCode: number, error: ShownError) => intentOfError(errorOf(statusCode, error), 'pi_1');

describe('intentOfError', () => {
  it.each<[ShownError, string]>([
    [{ type: 'card_error', code: 'card_declined', decline_code: 'insufficient_funds' }, 'insufficient_funds'],
    [{ type: 'card_error', code: 'expired_card' }, 'expired_card'],
    [{ type: 'card_error' }, 'card_declined'],
    [{ type: 'card_error', code: 'authentication_required' }, 'authentication_required'],
    [{ type: 'invalid_request_error', code: 'resource_missing', param: 'payment_method' }, 'unknown_source'],
  ])('takes %j as a decline: %s', (error, reason) => {
    expect(told(402, error)).toEqual({ status: 'declined', reference: 'pi_1', reason });
  });

  it('shows the intent that is in the wrong state for the request', () => {
    const error = { type: 'invalid_request_error', code: 'payment_intent_unexpected_state' } as const;
    expect(told(400, { ...error, payment_intent: shownIntent('succeeded') })).toEqual({
      status: 'succeeded',
      reference: 'pi_1',
    });
    expect(told(400, { ...error, payment_intent: shownIntent('canceled') })).toMatchObject({ status: 'cancelled' });
    expect(told(400, error)).toBeUndefined();
  });

  it.each<[number, ShownError]>([
    [404, { type: 'invalid_request_error', code: 'resource_missing', param: 'intent' }],
    [400, { type: 'invalid_request_error', code: 'parameter_invalid_integer', param: 'payment_method' }],
    [400, { type: 'invalid_request_error', payment_intent: shownIntent('succeeded') }],
    [400, { type: 'idempotency_error', payment_intent: shownIntent('succeeded') }],
    [500, { type: 'api_error' }],
  ])('learns nothing about the intent from %i %j', (status, error) => {
    expect(told(status, error)).toBeUndefined();
  });

  it.each([new Error('reset'), new TerminalError('too much'), undefined])('learns nothing from %p', (error) => {
    expect(intentOfError(error, 'pi_1')).toBeUndefined();
  });
});

describe('failureOf', () => {
  it.each<[number, ShownError]>([
    [400, { type: 'invalid_request_error', code: 'parameter_invalid_integer', param: 'amount' }],
    [402, { type: 'invalid_request_error' }],
    [404, { type: 'invalid_request_error', code: 'resource_missing' }],
  ])('R4 is terminal when the provider has judged the request: %i %j', (status, error) => {
    expect(failureOf(errorOf(status, error))).toBeInstanceOf(TerminalError);
  });

  it.each([408, 409, 424, 429, 500, 502, 503])('R4 leaves %i open', (status) => {
    expect(failureOf(errorOf(status, { type: 'api_error' }))).toBeInstanceOf(RetryableError);
  });

  it.each<[number, ShownError]>([
    [400, { type: 'idempotency_error' }],
    [401, { type: 'invalid_request_error' }],
    [403, { type: 'invalid_request_error' }],
  ])('R4 does not take %i %j for a word on the money: an earlier request may have moved it', (status, error) => {
    expect(failureOf(errorOf(status, error))).toBeInstanceOf(RetryableError);
  });

  it.each([new Error('reset'), 'a text', undefined])('R4 leaves open what is no error of the provider: %p', (error) => {
    expect(failureOf(error)).toBeInstanceOf(RetryableError);
  });

  it('passes on what is sorted already', () => {
    for (const sorted of [new RetryableError('later'), new TerminalError('never')])
      expect(failureOf(sorted)).toBe(sorted);
  });

  it.each<[string, number | undefined]>([
    ['3', 3_000],
    // More than an hour is a mistake.
    ['99999', 3_600_000],
    ['-1', undefined],
    ['1.5', undefined],
    ['Wed, 21 Oct 2026 07:28:00 GMT', 60_000],
  ])('waits as long as the provider asks for: %s', (text, retryAfterMs) => {
    const error = errorOf(
      429,
      { type: 'api_error' },
      {
        'retry-after': text,
        date: 'Wed, 21 Oct 2026 07:27:00 GMT',
      },
    );
    expect(failureOf(error)).toMatchObject({ name: 'RetryableError', retryAfterMs });
  });
});

describe('isKeyReused', () => {
  it('is true for a key of another request only', () => {
    expect(isKeyReused(errorOf(400, { type: 'idempotency_error' }))).toBe(true);
    expect(isKeyReused(errorOf(400, { type: 'invalid_request_error' }))).toBe(false);
    expect(isKeyReused(new Error('idempotency_error'))).toBe(false);
  });
});
