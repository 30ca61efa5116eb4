/** What each PaymentIntent of Stripe means for us. */
import { RetryableError } from '@shop/resilience';
import type Stripe from 'stripe';
import { redirectTo, shownIntent, type ShownMembers } from '../../testing/provider-server';
import type { Intent } from './intent';
import { declineOf, intentOf, likeliest } from './stripe-intent';

type Status = Stripe.PaymentIntent.Status;

const shown = (status: Status, more?: ShownMembers) =>
  intentOf(shownIntent(status, more) as Parameters<typeof intentOf>[0]);

/** A status that a newer SDK adds is missing here, and does not compile. */
const meanings: Record<Exclude<Status, 'requires_action'>, Intent['status']> = {
  succeeded: 'succeeded',
  processing: 'processing',
  requires_capture: 'authorized',
  requires_confirmation: 'unconfirmed',
  requires_payment_method: 'unconfirmed',
  canceled: 'cancelled',
};

describe('intentOf', () => {
  it.each(Object.entries(meanings) as [keyof typeof meanings, Intent['status']][])(
    'reads %s as %s',
    (status, meaning) => {
      expect(shown(status)).toEqual({ status: meaning, reference: 'pi_1' });
    },
  );

  it.each<[Partial<Stripe.PaymentIntent.LastPaymentError>, string]>([
    [{ code: 'card_declined', decline_code: 'lost_card' }, 'lost_card'],
    [{ code: 'payment_intent_authentication_failure' }, 'payment_intent_authentication_failure'],
    [{}, 'card_declined'],
  ])('reads requires_payment_method behind the error %j as declined: %s', (last_payment_error, reason) => {
    const declined = { status: 'declined', reference: 'pi_1', reason };
    expect(shown('requires_payment_method', { last_payment_error })).toEqual(declined);
  });

  it.each<[Exclude<Status, 'requires_payment_method' | 'requires_action'>]>([
    ['succeeded'],
    ['processing'],
    ['requires_capture'],
    ['canceled'],
  ])('takes no earlier error for the outcome of an intent that is %s', (status) => {
    expect(shown(status, { last_payment_error: { code: 'card_declined' } }).status).toBe(meanings[status]);
  });

  it('reads requires_action as the page of the bank', () => {
    const url = 'https://bank.example/3ds/7';
    expect(shown('requires_action', { next_action: redirectTo(url) })).toEqual({
      status: 'requires_action',
      reference: 'pi_1',
      url,
    });
  });

  it.each<[string, ShownMembers]>([
    ['no action', { next_action: null }],
    ['an action without a page', { next_action: { type: 'use_stripe_sdk' } }],
    [
      'a page without an address',
      { next_action: { type: 'redirect_to_url', redirect_to_url: { url: null, return_url: null } } },
    ],
  ])('does not know what to do with requires_action and %s', (_, more) => {
    expect(() => shown('requires_action', more)).toThrow(RetryableError);
  });

  it.each(['paused', '', undefined])('does not guess what the status %p means', (status) => {
    expect(() => shown(status as Status)).toThrow(RetryableError);
  });
});

describe('declineOf', () => {
  it.each([
    [{ decline_code: 'insufficient_funds', code: 'card_declined' }, 'insufficient_funds'],
    [{ decline_code: '', code: 'expired_card' }, 'expired_card'],
    [{}, 'card_declined'],
  ])('names the reason of %j: %s', (error, reason) => {
    expect(declineOf(error)).toBe(reason);
  });
});

describe('likeliest', () => {
  /** From the one that tells most about the money. */
  const telling: Status[] = [
    'succeeded',
    'requires_capture',
    'processing',
    'requires_action',
    'requires_confirmation',
    'requires_payment_method',
    'canceled',
  ];

  it.each(telling.flatMap((better, index) => telling.slice(index + 1).map((worse) => [better, worse] as const)))(
    'believes %s before %s, in any order',
    (better, worse) => {
      const [one, other] = [{ status: better }, { status: worse }];
      expect([likeliest([one, other]), likeliest([other, one])]).toEqual([one, one]);
    },
  );

  it('finds nothing among nothing, and changes no list', () => {
    expect(likeliest([])).toBeUndefined();
    const list = Object.freeze([{ status: 'canceled' as const }, { status: 'succeeded' as const }]);
    expect(likeliest(list)).toBe(list[1]);
  });
});
