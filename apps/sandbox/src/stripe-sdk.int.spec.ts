/** The real SDK against the sandbox over a real socket: charges and refunds in one request each, and faults. */
import { failureOf as failure, startProvider, type TestProvider } from '../testing';

const TIMEOUT_MS = 500;
const PATIENT_TIMEOUT_MS = 5_000;

let provider: TestProvider;
let lastKey = 0;

beforeAll(async () => {
  provider = await startProvider();
});
beforeEach(async () => {
  await provider.admin('DELETE', 'charges');
  await provider.admin('DELETE', 'faults');
});
afterAll(() => provider.close());

describe('charging', () => {
  it('takes the money and keeps the metadata', async () => {
    const intent = await charge({ source: 'tok_x', metadata: { paymentId: 'p 1', commandId: 'c/1' } });
    expect(intent).toMatchObject({
      id: expect.stringMatching(/^pi_[0-9a-f]{24}$/) as string,
      amount: 4200,
      currency: 'usd',
      status: 'succeeded',
      metadata: { paymentId: 'p 1', commandId: 'c/1' },
    });
    expect(await provider.stripe.paymentIntents.retrieve(intent.id)).toMatchObject({ id: intent.id });
    expect((await charges())[0]).toMatchObject({ id: intent.id, refunded: 0, idempotencyKey: `key-${lastKey}` });
  });

  it('declines with the issuer’s reason, and in the same way again under the same key', async () => {
    const declined = () => failure(charge({ source: 'tok_insufficient_funds', key: 'poor' }));
    const [first, second] = [await declined(), await declined()];
    expect(first).toMatchObject({
      type: 'StripeCardError',
      code: 'card_declined',
      decline_code: 'insufficient_funds',
      payment_intent: { status: 'requires_payment_method' },
    });
    expect(second.payment_intent?.id).toBe(first.payment_intent?.id);
    expect(second.headers?.['idempotent-replayed']).toBe('true');
    expect(await charges()).toEqual([]);
  });

  it('answers the stored intent under the same key, and refuses other parameters', async () => {
    const first = await charge({ key: 'k' });
    const again = await charge({ key: 'k' });
    expect(again.id).toBe(first.id);
    expect(again.lastResponse.headers['idempotent-replayed']).toBe('true');
    expect(await failure(charge({ key: 'k', amount: 1 }))).toMatchObject({
      type: 'StripeIdempotencyError',
      statusCode: 400,
    });
    expect(await charges()).toHaveLength(1);
  });

  it('lists and finds what was charged', async () => {
    const ids: string[] = [];
    for (const commandId of ['a', 'b', 'c']) ids.push((await charge({ metadata: { commandId } })).id);
    const listed = await provider.stripe.paymentIntents.list({ limit: 2 }).autoPagingToArray({ limit: 10 });
    expect(listed.map(({ id }) => id)).toEqual(ids.toReversed());
    const found = await provider.stripe.paymentIntents.search({ query: "metadata['commandId']:'b'" });
    expect(found.data.map(({ id }) => id)).toEqual([ids[1]]);
  });

  it('says what is wrong in a form that the SDK understands', async () => {
    expect(await failure(charge({ amount: 0 }))).toMatchObject({ type: 'StripeInvalidRequestError', param: 'amount' });
    expect(await failure(charge({ source: 'gold' }))).toMatchObject({
      code: 'resource_missing',
      param: 'payment_method',
    });
    expect(await failure(provider.stripe.paymentIntents.retrieve('pi_0'))).toMatchObject({ statusCode: 404 });
    expect(await failure(provider.stripe.customers.list())).toMatchObject({
      type: 'StripeInvalidRequestError',
      statusCode: 404,
    });
  });
});

describe('refunding', () => {
  it('refunds in parts, once for each key, and never more than was charged', async () => {
    const { id } = await charge();
    const refund = (amount: number | undefined, idempotencyKey: string) =>
      provider.stripe.refunds.create({ payment_intent: id, amount }, { idempotencyKey });
    const first = await refund(1200, 'r1');
    expect(first).toMatchObject({ status: 'succeeded', amount: 1200, payment_intent: id });
    expect((await refund(1200, 'r1')).id).toBe(first.id);
    expect(await failure(refund(3001, 'r2'))).toMatchObject({ code: 'charge_already_refunded', statusCode: 400 });
    expect((await refund(undefined, 'r3')).amount).toBe(3000);
    expect((await provider.stripe.refunds.list({ payment_intent: id })).data).toHaveLength(2);
    expect((await charges())[0]).toMatchObject({ refunded: 4200 });
  });
});

describe('failing on request', () => {
  it.each([
    ['tok_error_once', { statusCode: 500 }],
    ['tok_rate_limited_once', { type: 'StripeRateLimitError', headers: { 'retry-after': '1' } }],
  ])('%s fails before charging, then charges once', async (source, expected) => {
    expect(await failure(charge({ source, key: source }))).toMatchObject(expected);
    expect(await charges()).toEqual([]);
    expect((await charge({ source, key: source })).status).toBe('succeeded');
    expect(await charges()).toHaveLength(1);
  });

  it('tok_reset_once resets the connection; the SDK itself asks again', async () => {
    expect((await charge({ source: 'tok_reset_once' })).status).toBe('succeeded');
    expect(await charges()).toHaveLength(1);
  });

  it('tok_timeout_once charges and never answers; the next request gets the answer', async () => {
    expect(await failure(charge({ source: 'tok_timeout_once', key: 't' }))).toMatchObject({
      type: 'StripeConnectionError',
    });
    const [charged] = await charges();
    expect((await charge({ source: 'tok_timeout_once', key: 't' })).id).toBe(charged?.id);
  });

  it('tok_slow takes two seconds; a request meanwhile is a conflict', async () => {
    const patient = charge({ source: 'tok_slow', key: 's', timeout: PATIENT_TIMEOUT_MS });
    expect(await failure(charge({ source: 'tok_slow', key: 's' }))).toMatchObject({ statusCode: 409 });
    expect((await patient).status).toBe('succeeded');
  });

  it('shows the faults set over the admin route to everybody, until they are turned off', async () => {
    expect(await putFaults({ errorRate: 1 })).toMatchObject({ errorRate: 1, delayMs: 0, seed: 1 });
    expect(await failure(charge())).toMatchObject({ statusCode: 500 });
    await putFaults({ lostAnswerRate: 1 });
    expect(await failure(charge({ key: 'lost' }))).toMatchObject({ type: 'StripeConnectionError' });
    await provider.admin('DELETE', 'faults');
    expect((await charge({ key: 'lost' })).lastResponse.headers['idempotent-replayed']).toBe('true');
    expect(await charges()).toHaveLength(1);
  });

  it('refuses faults that make no sense', async () => {
    expect(await putFaults({ errorRate: 2 })).toMatchObject({ code: 'validation_failed' });
    expect(await putFaults({ errorRate: 0.6, resetRate: 0.6 })).toMatchObject({ code: 'validation_failed' });
    expect(await putFaults({ errorrate: 1 })).toMatchObject({ code: 'validation_failed' });
  });
});

it('knows its charges and its answers after a restart', async () => {
  const before = await charge({ key: 'kept' });
  await provider.restart();
  expect((await charge({ key: 'kept' })).id).toBe(before.id);
  expect(await charges()).toHaveLength(1);
});

interface Charge {
  source?: string;
  amount?: number;
  key?: string;
  metadata?: Record<string, string>;
  timeout?: number;
}

function charge({ source = 'tok_ok', amount = 4200, key = `key-${(lastKey += 1)}`, ...rest }: Charge = {}) {
  const { metadata = {}, timeout = TIMEOUT_MS } = rest;
  const params = { amount, currency: 'USD', confirm: true, payment_method: source, metadata };
  return provider.stripe.paymentIntents.create(params, { idempotencyKey: key, timeout });
}

async function charges(): Promise<{ id: string }[]> {
  return (await provider.admin<{ charges: { id: string }[] }>('GET', 'charges')).charges;
}

const putFaults = (settings: Record<string, number>): Promise<unknown> => provider.admin('PUT', 'faults', settings);
