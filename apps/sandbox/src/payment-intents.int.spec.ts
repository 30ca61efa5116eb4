/** The real SDK against the sandbox: payment intents step by step, typed by the SDK. */
import type Stripe from 'stripe';
import { failureOf, startProvider, type TestProvider } from '../testing';

let provider: TestProvider;
let lastKey = 0;

beforeAll(async () => {
  provider = await startProvider();
});
beforeEach(async () => {
  await provider.admin('DELETE', 'charges');
  await provider.admin('PUT', 'settings', {});
});
afterAll(() => provider.close());

describe('an intent that is created first and confirmed later', () => {
  it('moves no money before its confirmation', async () => {
    const intent = await create();
    expect(intent).toMatchObject({ status: 'requires_payment_method', amount_received: 0, latest_charge: null });
    expect(await charges()).toEqual([]);
    const paid = await confirm(intent.id, 'tok_ok');
    expect(paid).toMatchObject({ id: intent.id, status: 'succeeded', amount_received: 4200 });
    expect(await charges()).toMatchObject([{ id: intent.id, captured: 4200 }]);
  });

  it('is the same intent under the same key, and is confirmed once under the same key', async () => {
    const [first, again] = [await create({}, 'c'), await create({}, 'c')];
    expect(again.id).toBe(first.id);
    const [paid, repeated] = [await confirm(first.id, 'tok_ok', {}, 'k'), await confirm(first.id, 'tok_ok', {}, 'k')];
    expect(repeated.lastResponse.headers['idempotent-replayed']).toBe('true');
    expect(repeated.latest_charge).toBe(paid.latest_charge);
    expect(await failureOf(confirm(first.id, 'tok_declined', {}, 'k'))).toMatchObject({
      type: 'StripeIdempotencyError',
    });
  });

  it('cannot be confirmed or cancelled when it has succeeded, and the error shows it', async () => {
    const { id } = await create();
    await confirm(id, 'tok_ok');
    for (const work of [confirm(id, 'tok_ok'), provider.stripe.paymentIntents.cancel(id)]) {
      expect(await failureOf(work)).toMatchObject({
        statusCode: 400,
        code: 'payment_intent_unexpected_state',
        payment_intent: { id, status: 'succeeded' },
      });
    }
  });

  it('is not confirmed any more when it was cancelled', async () => {
    const { id } = await create();
    const cancelled = await provider.stripe.paymentIntents.cancel(id, { cancellation_reason: 'abandoned' });
    expect(cancelled).toMatchObject({ status: 'canceled', cancellation_reason: 'abandoned' });
    expect(cancelled.canceled_at).toEqual(expect.any(Number));
    expect(await failureOf(confirm(id, 'tok_ok'))).toMatchObject({
      code: 'payment_intent_unexpected_state',
      payment_intent: { status: 'canceled' },
    });
    expect(await charges()).toEqual([]);
  });

  it('takes another source after a decline', async () => {
    const { id } = await create();
    expect(await failureOf(confirm(id, 'tok_declined'))).toMatchObject({
      statusCode: 402,
      code: 'card_declined',
      decline_code: 'generic_decline',
      payment_intent: { id, status: 'requires_payment_method' },
    });
    expect((await confirm(id, 'tok_ok')).last_payment_error).toBeNull();
  });

  it('fails as its source asks when it is confirmed, and not before', async () => {
    const { id } = await create();
    expect(await failureOf(confirm(id, 'tok_error_once', {}, 'e'))).toMatchObject({ statusCode: 500 });
    expect((await confirm(id, 'tok_error_once', {}, 'e')).status).toBe('succeeded');
    const other = await create();
    expect(await failureOf(confirm(other.id, 'tok_timeout_once', {}, 't'))).toMatchObject({
      type: 'StripeConnectionError',
    });
    expect((await provider.stripe.paymentIntents.retrieve(other.id)).status).toBe('succeeded');
  });

  it('shows its charge when that is asked for', async () => {
    const { id } = await create();
    expect((await provider.stripe.paymentIntents.retrieve(id, { expand: ['latest_charge'] })).latest_charge).toBeNull();
    const paid = await confirm(id, 'tok_ok', { expand: ['latest_charge.balance_transaction'] });
    const charge = paid.latest_charge as Stripe.Charge;
    expect(charge).toMatchObject({ object: 'charge', payment_intent: id, captured: true, disputed: false });
    expect(charge.balance_transaction).toMatchObject({ amount: 4200, fee: 88, net: 4112, type: 'charge' });
    const wrong = provider.stripe.paymentIntents.retrieve(id, { expand: ['customer'] });
    expect(await failureOf(wrong)).toMatchObject({ param: 'expand' });
  });
});

describe('an intent that waits for the customer', () => {
  it('tells where to go, and is paid when the customer approves', async () => {
    const { id } = await create();
    const waiting = await confirm(id, 'tok_3ds', { return_url: 'https://shop.example/back' });
    expect(waiting).toMatchObject({
      status: 'requires_action',
      latest_charge: null,
      next_action: {
        type: 'redirect_to_url',
        redirect_to_url: { url: `${provider.url}/3ds/${id}`, return_url: 'https://shop.example/back' },
      },
    });
    expect(await provider.admin('POST', `intents/${id}/approve`)).toEqual({ id, status: 'succeeded' });
    expect(await provider.admin('POST', `intents/${id}/approve`)).toMatchObject({ code: 'unexpected_state' });
    expect(await provider.stripe.paymentIntents.retrieve(id)).toMatchObject({ status: 'succeeded', next_action: null });
  });

  it('tells the address for browsers, where that is another one', async () => {
    const other = await startProvider({ publicUrl: 'https://bank.example' });
    const params = { amount: 4200, currency: 'usd', confirm: true, payment_method: 'tok_3ds' };
    const { id, next_action: action } = await other.stripe.paymentIntents.create(params);
    expect(action?.redirect_to_url?.url).toBe(`https://bank.example/3ds/${id}`);
    await other.close();
  });

  it('waits for another source when the customer declines', async () => {
    const { id } = await create();
    await confirm(id, 'tok_3ds');
    await provider.admin('POST', `intents/${id}/decline`);
    expect(await provider.stripe.paymentIntents.retrieve(id)).toMatchObject({
      status: 'requires_payment_method',
      last_payment_error: { code: 'payment_intent_authentication_failure' },
    });
  });

  it('is declined at once when nobody is there', async () => {
    const { id } = await create();
    expect(await failureOf(confirm(id, 'tok_3ds', { error_on_requires_action: true }))).toMatchObject({
      statusCode: 402,
      code: 'authentication_required',
    });
  });

  it('can be cancelled while it waits, and not approved any more', async () => {
    const { id } = await create();
    await confirm(id, 'tok_3ds');
    expect((await provider.stripe.paymentIntents.cancel(id)).status).toBe('canceled');
    expect(await provider.admin('POST', `intents/${id}/approve`)).toMatchObject({ code: 'unexpected_state' });
  });
});

describe('an intent whose bank takes its time', () => {
  it.each([
    ['settle', 'succeeded', 1],
    ['fail', 'requires_payment_method', 0],
  ])('%s: it is %s', async (outcome, status, taken) => {
    const { id } = await create();
    expect((await confirm(id, 'tok_processing')).status).toBe('processing');
    expect(await failureOf(provider.stripe.paymentIntents.cancel(id))).toMatchObject({
      code: 'payment_intent_unexpected_state',
    });
    expect(await provider.admin('POST', `intents/${id}/${outcome}`)).toEqual({ id, status });
    expect(await charges()).toHaveLength(taken);
  });

  it('begins to process when the customer has approved', async () => {
    const { id } = await create();
    await confirm(id, 'tok_3ds_processing');
    expect(await provider.admin('POST', `intents/${id}/approve`)).toEqual({ id, status: 'processing' });
  });
});

describe('an intent that is captured by hand', () => {
  it('holds the money, and takes a part of it once', async () => {
    const { id } = await create({ capture_method: 'manual' });
    const held = await confirm(id, 'tok_ok', { expand: ['latest_charge'] });
    expect(held).toMatchObject({ status: 'requires_capture', amount_capturable: 4200, amount_received: 0 });
    const { captured, payment_method_details: details } = held.latest_charge as Stripe.Charge;
    expect([captured, typeof details?.card?.capture_before]).toEqual([false, 'number']);
    expect(await charges()).toEqual([]);
    expect(await failureOf(capture(id, 4201))).toMatchObject({ code: 'amount_too_large' });
    expect(await failureOf(capture(id, 100, false))).toMatchObject({ param: 'final_capture' });
    expect(await capture(id, 3000)).toMatchObject({ status: 'succeeded', amount_received: 3000, amount_capturable: 0 });
    expect(await charges()).toMatchObject([{ id, amount: 4200, captured: 3000 }]);
    const refund = provider.stripe.refunds.create({ payment_intent: id, amount: 3001 });
    expect(await failureOf(refund)).toMatchObject({ code: 'charge_already_refunded' });
  });

  it('takes several parts when that was asked for', async () => {
    const { id } = await create({
      capture_method: 'manual',
      payment_method_options: { card: { request_multicapture: 'if_available' } },
    });
    await confirm(id, 'tok_ok');
    expect(await capture(id, 1000, false)).toMatchObject({ status: 'requires_capture', amount_capturable: 3200 });
    expect(await capture(id, 200, false)).toMatchObject({ amount_received: 1200, amount_capturable: 3000 });
    expect(await capture(id, 0)).toMatchObject({ status: 'succeeded', amount_received: 1200, amount_capturable: 0 });
  });

  it.each([
    ['is cancelled', (id: string) => provider.stripe.paymentIntents.cancel(id), null],
    ['expires', (id: string) => provider.admin('POST', `intents/${id}/expire`), 'automatic'],
  ])('gives the money free when it %s', async (_name, end, reason) => {
    const { id } = await create({ capture_method: 'manual' });
    await confirm(id, 'tok_ok');
    await end(id);
    expect(await provider.stripe.paymentIntents.retrieve(id)).toMatchObject({
      status: 'canceled',
      cancellation_reason: reason,
      amount_capturable: 0,
    });
    expect(await failureOf(capture(id, 1))).toMatchObject({ code: 'payment_intent_unexpected_state' });
    expect(await charges()).toEqual([]);
  });
});

describe('a refund', () => {
  it('waits until the bank has settled it', async () => {
    const { id } = await pay('tok_refund_pending');
    const refund = await provider.stripe.refunds.create({ payment_intent: id, amount: 200 });
    expect(refund.status).toBe('pending');
    await provider.admin('POST', `refunds/${refund.id}/settle`);
    expect((await provider.stripe.refunds.retrieve(refund.id)).status).toBe('succeeded');
    expect(await charges()).toMatchObject([{ refunded: 200 }]);
  });

  it('fails later, and then the money can be refunded again', async () => {
    const { id } = await pay('tok_refund_fails');
    const refund = await provider.stripe.refunds.create({ payment_intent: id });
    expect(refund.status).toBe('succeeded');
    expect(await charges()).toMatchObject([{ refunded: 4200 }]);
    expect(await provider.admin('POST', `refunds/${refund.id}/fail`)).toEqual({ id: refund.id, status: 'failed' });
    expect(await provider.stripe.refunds.retrieve(refund.id)).toMatchObject({
      status: 'failed',
      failure_reason: 'expired_or_canceled_card',
    });
    expect(await charges()).toMatchObject([{ refunded: 0 }]);
    expect((await provider.stripe.refunds.create({ payment_intent: id })).amount).toBe(4200);
  });

  it('is not given for an intent that took no money', async () => {
    const { id } = await create();
    expect(await failureOf(provider.stripe.refunds.create({ payment_intent: id }))).toMatchObject({
      code: 'payment_intent_unexpected_state',
    });
  });
});

it.each(['intents/pi_0/approve', 'intents/pi_0/pay', 'refunds/re_0/fail', 'refunds/re_0/keep'])(
  'nothing happens to what is not there: %s',
  async (path) => {
    expect(await provider.admin('POST', path)).toMatchObject({ status: 404, code: 'not_found' });
  },
);

it('is found by the search only some time after it was created', async () => {
  const intent = await create({ metadata: { commandId: 'late' } });
  const find = async () =>
    (await provider.stripe.paymentIntents.search({ query: "metadata['commandId']:'late'" })).data;
  await provider.admin('PUT', 'settings', { searchLagMs: 60_000 });
  expect(await find()).toEqual([]);
  await provider.admin('PUT', 'settings', {});
  expect(await find()).toMatchObject([{ id: intent.id }]);
});

it('is in the same state after a restart', async () => {
  const { id } = await create();
  const waiting = await confirm(id, 'tok_3ds', {}, 'restarted');
  await provider.restart();
  expect(await provider.stripe.paymentIntents.retrieve(id)).toMatchObject({ status: 'requires_action' });
  await provider.admin('POST', `intents/${id}/approve`);
  const again = await confirm(id, 'tok_3ds', {}, 'restarted');
  expect(again.status).toBe(waiting.status);
});

function nextKey(): { idempotencyKey: string } {
  return { idempotencyKey: `intent-${(lastKey += 1)}` };
}

function create(params: Partial<Stripe.PaymentIntentCreateParams> = {}, key?: string) {
  const options = key === undefined ? nextKey() : { idempotencyKey: key };
  return provider.stripe.paymentIntents.create({ amount: 4200, currency: 'usd', ...params }, options);
}

function confirm(id: string, source: string, params: Stripe.PaymentIntentConfirmParams = {}, key?: string) {
  const options = key === undefined ? nextKey() : { idempotencyKey: key };
  return provider.stripe.paymentIntents.confirm(id, { payment_method: source, ...params }, options);
}

function capture(id: string, amount: number, final = true) {
  const params = { amount_to_capture: amount, ...(final ? {} : { final_capture: false }) };
  return provider.stripe.paymentIntents.capture(id, params, nextKey());
}

async function pay(source: string) {
  return confirm((await create()).id, source);
}

async function charges() {
  return (await provider.admin<{ charges: object[] }>('GET', 'charges')).charges;
}
