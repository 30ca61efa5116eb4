/** How intents are created, confirmed, looked at, given up and found. A server on a real socket is the provider. */
import { RetryableError, TerminalError } from '@shop/resilience';
import type Stripe from 'stripe';
import {
  failureOfCall,
  json,
  ProviderServer,
  redirectTo,
  type ShownError,
  shownIntent,
  type ShownIntent,
  type ShownMembers,
} from '../../testing/provider-server';
import type { Intent } from './intent';
import type { Confirmation, IntentRequest } from './provider';
import type { StripeProvider } from './stripe.provider';

const order: IntentRequest = {
  idempotencyKey: 'cmd-1',
  tenant: 'acme',
  paymentId: 'pmt_1',
  amount: 4_200,
  currency: 'USD',
  capture: 'automatic',
};
const confirmation: Confirmation = { reference: 'pi_1', idempotencyKey: 'cmd-1/confirm/1', source: 'tok_ok' };
const givingUp = { reference: 'pi_1', idempotencyKey: 'cmd-1/cancel' };
const returnUrl = 'https://shop.example/paid';
const reference = 'pi_1';

const server = new ProviderServer();
let provider: StripeProvider;
let redirecting: StripeProvider;

beforeAll(async () => {
  await server.open();
  provider = server.provider();
  redirecting = server.provider({ returnUrl });
});
beforeEach(() => void server.calls());
afterAll(() => server.close());

/** Each request about one intent that is there already. */
const requests: [string, () => Promise<Intent>][] = [
  ['confirm', () => provider.confirm(confirmation)],
  ['retrieve', () => provider.retrieve(reference)],
  ['cancel', () => provider.cancel(givingUp)],
];
const all: [string, () => Promise<unknown>][] = [
  ['createIntent', () => provider.createIntent(order)],
  ...requests,
  ['findIntent', () => provider.findIntent(order)],
];

describe('StripeProvider.createIntent', () => {
  it('R38 names a charge under our key, traceable to our payment, and asks for no money', async () => {
    server.shows(shownIntent('requires_payment_method'));
    expect(await provider.createIntent(order)).toEqual({ status: 'unconfirmed', reference });
    const [seen] = server.seen;
    expect(seen).toMatchObject({
      call: 'POST /v1/payment_intents',
      headers: { 'idempotency-key': 'cmd-1', authorization: 'Bearer sk_test_x' },
    });
    // The whole form: nothing in it confirms, and nothing in it is the source.
    expect(seen!.form).toEqual({
      amount: '4200',
      currency: 'usd',
      capture_method: 'automatic',
      'automatic_payment_methods[enabled]': 'true',
      'automatic_payment_methods[allow_redirects]': 'never',
      'metadata[tenant]': 'acme',
      'metadata[paymentId]': 'pmt_1',
      'metadata[commandId]': 'cmd-1',
    });
  });

  it('allows the pages of banks when there is a page to come back to', async () => {
    server.shows(shownIntent('requires_payment_method'));
    await redirecting.createIntent(order);
    expect(server.seen[0]!.form['automatic_payment_methods[allow_redirects]']).toBe('always');
  });

  it('only holds the money of a payment that is captured by hand', async () => {
    server.shows(shownIntent('requires_payment_method'));
    await provider.createIntent({ ...order, capture: 'manual' });
    expect(server.seen[0]!.form.capture_method).toBe('manual');
  });

  describe('R4 under a key that an earlier release has used to ask for the money at once', () => {
    const reused = { status: 400, body: { error: { type: 'idempotency_error' } } };

    it('shows the charge that was made, as it is now', async () => {
      server.respondBy((response, { call }) => {
        if (call.startsWith('POST')) return json(response, reused);
        searched([shownIntent('succeeded')])(response, { call });
      });
      expect(await provider.createIntent(order)).toEqual({ status: 'succeeded', reference });
      expect(server.calls()).toEqual([
        'POST /v1/payment_intents',
        'GET /v1/payment_intents/search',
        'GET /v1/payment_intents/pi_1',
      ]);
    });

    it('does not know the outcome while the charge is not shown yet', async () => {
      server.respondBy((response, { call }) => {
        if (call.startsWith('POST')) return json(response, reused);
        searched([])(response, { call });
      });
      expect(await failureOfCall(provider.createIntent(order))).toBeInstanceOf(RetryableError);
    });

    it('does not know the outcome when the search fails, whatever it says', async () => {
      server.respondBy((response, { call }) =>
        json(response, call.startsWith('POST') ? reused : { status: 503, body: { error: { type: 'api_error' } } }),
      );
      expect(await failureOfCall(provider.createIntent(order))).toBeInstanceOf(RetryableError);
    });
  });
});

describe('StripeProvider.confirm', () => {
  it('R38 asks for the money with the source, under the key of the attempt', async () => {
    server.shows(shownIntent('succeeded'));
    expect(await provider.confirm(confirmation)).toEqual({ status: 'succeeded', reference });
    expect(server.seen).toMatchObject([
      { call: 'POST /v1/payment_intents/pi_1/confirm', headers: { 'idempotency-key': 'cmd-1/confirm/1' } },
    ]);
    // Without a page to return to, a question of the bank is a decline.
    expect(server.seen[0]!.form).toEqual({ payment_method: 'tok_ok', error_on_requires_action: 'true' });
  });

  it('tells where the bank sends the customer back to, and then a question of the bank is no error', async () => {
    const url = 'https://bank.example/3ds/7';
    server.shows(shownIntent('requires_action', { next_action: redirectTo(url) }));
    expect(await redirecting.confirm(confirmation)).toEqual({ status: 'requires_action', reference, url });
    expect(server.seen[0]!.form).toEqual({ payment_method: 'tok_ok', return_url: returnUrl });
  });

  it.each<[ShownError, number, string]>([
    [{ type: 'card_error', code: 'card_declined', decline_code: 'insufficient_funds' }, 402, 'insufficient_funds'],
    [{ type: 'card_error', code: 'expired_card' }, 402, 'expired_card'],
    [{ type: 'card_error', code: 'authentication_required' }, 402, 'authentication_required'],
    [{ type: 'invalid_request_error', code: 'resource_missing', param: 'payment_method' }, 400, 'unknown_source'],
  ])('takes %j as a refusal', async (error, status, reason) => {
    server.fails(status, { ...error, payment_intent: shownIntent('requires_payment_method') });
    expect(await provider.confirm(confirmation)).toEqual({ status: 'declined', reference, reason });
  });

  it('does not take an intent that is not there for an unknown source', async () => {
    server.fails(404, { type: 'invalid_request_error', code: 'resource_missing', param: 'intent' });
    expect(await failureOfCall(provider.confirm(confirmation))).toBeInstanceOf(TerminalError);
  });
});

describe('StripeProvider.retrieve', () => {
  it('looks at the intent by its name, without a key', async () => {
    server.shows(shownIntent('requires_confirmation'));
    expect(await provider.retrieve(reference)).toEqual({ status: 'unconfirmed', reference });
    expect(server.seen).toMatchObject([{ call: 'GET /v1/payment_intents/pi_1', form: {} }]);
    expect(server.seen[0]!.headers['idempotency-key']).toBeUndefined();
  });
});

describe('StripeProvider.cancel', () => {
  it('R3 gives the intent up under its own key', async () => {
    server.shows(shownIntent('canceled'));
    expect(await provider.cancel(givingUp)).toEqual({ status: 'cancelled', reference });
    expect(server.seen).toMatchObject([
      { call: 'POST /v1/payment_intents/pi_1/cancel', headers: { 'idempotency-key': 'cmd-1/cancel' }, form: {} },
    ]);
  });
});

describe('an intent that is shown by a request about it', () => {
  const url = 'https://bank.example/3ds/7';
  /** A status that a newer SDK adds is missing here, and does not compile. */
  const statuses: Record<Stripe.PaymentIntent.Status, [Intent, ShownMembers?]> = {
    succeeded: [{ status: 'succeeded', reference }],
    processing: [{ status: 'processing', reference }],
    requires_capture: [{ status: 'authorized', reference }],
    requires_action: [{ status: 'requires_action', reference, url }, { next_action: redirectTo(url) }],
    requires_confirmation: [{ status: 'unconfirmed', reference }],
    requires_payment_method: [
      { status: 'declined', reference, reason: 'lost_card' },
      { last_payment_error: { code: 'card_declined', decline_code: 'lost_card' } },
    ],
    canceled: [{ status: 'cancelled', reference }],
  };
  const cases = (Object.entries(statuses) as [Stripe.PaymentIntent.Status, [Intent, ShownMembers?]][]).flatMap(
    ([status, [intent, more]]) => requests.map(([name, request]) => ({ name, request, status, intent, more })),
  );

  it.each(cases)('is told in our words: $name $status', async ({ request, status, intent, more }) => {
    server.shows(shownIntent(status, more));
    expect(await request()).toEqual(intent);
  });

  it.each(cases)('R4 tells the same in the error of a request that came too late: $name $status', async (one) => {
    const payment_intent = shownIntent(one.status, one.more);
    server.fails(400, { type: 'invalid_request_error', code: 'payment_intent_unexpected_state', payment_intent });
    expect(await one.request()).toEqual(one.intent);
  });

  it.each(requests)('is unknown when it waits for something that has no page: %s', async (_, request) => {
    server.shows(shownIntent('requires_action', { next_action: { type: 'use_stripe_sdk' } }));
    expect(await failureOfCall(request())).toBeInstanceOf(RetryableError);
  });
});

describe.each(all)('R4 an error of %s', (_, request) => {
  it.each<[number, ShownError]>([
    [400, { type: 'invalid_request_error', code: 'parameter_invalid_integer', param: 'amount' }],
    [404, { type: 'invalid_request_error' }],
  ])('is given up on: %i %j', async (status, error) => {
    server.fails(status, error);
    expect(await failureOfCall(request())).toBeInstanceOf(TerminalError);
  });

  it.each<[number, ShownError]>([
    ...[408, 409, 424, 429, 500, 502, 503].map((status): [number, ShownError] => [status, { type: 'api_error' }]),
    [400, { type: 'idempotency_error' }],
    [401, { type: 'invalid_request_error' }],
    [403, { type: 'invalid_request_error' }],
  ])('says nothing about the money: %i %j', async (status, error) => {
    server.fails(status, error);
    expect(await failureOfCall(request())).toBeInstanceOf(RetryableError);
  });

  it.each([{}, null, []])('is an answer that says nothing: %j', async (body) => {
    server.answer(200, body);
    expect(await failureOfCall(request())).toBeInstanceOf(RetryableError);
  });
});

describe('R4 StripeProvider.findIntent', () => {
  const shows = (...intents: ShownIntent[]) => server.respondBy(searched(intents));
  const find = (changed: Partial<IntentRequest> = {}) => provider.findIntent({ ...order, ...changed });

  it('searches for our id, and believes the intent and not the search', async () => {
    shows(shownIntent('succeeded'));
    expect(await find()).toEqual({ status: 'succeeded', reference });
    const [search] = server.seen;
    expect([search!.call, search!.search.get('query')]).toEqual([
      'GET /v1/payment_intents/search',
      `metadata['commandId']:'cmd-1'`,
    ]);
    expect(search!.headers['idempotency-key']).toBeUndefined();
  });

  it('cannot be led astray by quotes in an id', async () => {
    shows();
    await find({ idempotencyKey: `a' OR b\\` });
    expect(server.seen[0]!.search.get('query')).toBe(`metadata['commandId']:'a\\' OR b\\\\'`);
  });

  it('finds nothing, or the intent as it is', async () => {
    shows();
    expect(await find()).toBeUndefined();
    shows(shownIntent('requires_payment_method', { last_payment_error: { decline_code: 'lost_card' } }));
    expect(await find()).toEqual({ status: 'declined', reference, reason: 'lost_card' });
    shows(shownIntent('processing'));
    expect(await find()).toEqual({ status: 'processing', reference });
  });

  it('prefers the intent that took the money', async () => {
    shows(shownIntent('canceled', { id: 'pi_0' }), shownIntent('succeeded'), shownIntent('processing', { id: 'pi_2' }));
    expect(await find()).toEqual({ status: 'succeeded', reference });
  });

  it('compares amounts as the provider counts them', async () => {
    shows(shownIntent('succeeded', { amount: 500_100, currency: 'isk' }));
    expect(await find({ amount: 5_001, currency: 'ISK' })).toMatchObject({ status: 'succeeded' });
  });

  it.each<[string, ShownMembers]>([
    ['amount', { amount: 42 }],
    ['currency', { currency: 'eur' }],
  ])('does not take an intent with another %s for ours', async (_, more) => {
    shows(shownIntent('succeeded', more));
    expect(await failureOfCall(find())).toBeInstanceOf(RetryableError);
  });
});

/** What the search shows is older than what the intents are by now. */
function searched(intents: readonly ShownIntent[]) {
  return (response: Parameters<typeof json>[0], { call }: { call: string }): void => {
    const one = intents.find(({ id }) => call === `GET /v1/payment_intents/${id}`);
    const data = intents.map(({ id }) => ({ id, status: 'requires_confirmation' }));
    json(response, { body: one ?? { object: 'search_result', data, has_more: false } });
  };
}
