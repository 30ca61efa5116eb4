/** Events on their way to a merchant, whose real SDK checks the signatures. */
import { eventually } from '@shop/testing';
import { type Merchant, SECRET, startMerchant, startProvider, type TestProvider } from '../../testing';
import type { WebhookSettings } from './webhook-settings';

let provider: TestProvider;
let merchant: Merchant;

beforeAll(async () => {
  provider = await startProvider();
});
beforeEach(async () => {
  await provider.admin('DELETE', 'charges');
  merchant = await startMerchant();
});
afterEach(async () => {
  await provider.admin('DELETE', 'webhooks');
  await merchant.close();
});
afterAll(() => provider.close());

describe('events', () => {
  it('are signed as Stripe signs them, and tell each step of an intent', async () => {
    await send({});
    const { id } = await provider.stripe.paymentIntents.create(
      { amount: 100, currency: 'usd' },
      { idempotencyKey: 'e' },
    );
    await provider.stripe.paymentIntents.confirm(id, { payment_method: 'tok_3ds_processing' });
    await provider.admin('POST', `intents/${id}/approve`);
    await provider.admin('POST', `intents/${id}/settle`);
    await eventually(() => expect(merchant.events).toHaveLength(4));
    expect(merchant.events.map(({ type }) => type)).toEqual([
      'payment_intent.created',
      'payment_intent.requires_action',
      'payment_intent.processing',
      'payment_intent.succeeded',
    ]);
    expect(merchant.events[0]).toMatchObject({
      object: 'event',
      livemode: false,
      request: { idempotency_key: 'e' },
      data: { object: { id, status: 'requires_payment_method' } },
    });
    expect(merchant.forged).toBe(0);
  });

  it('tell of declines, captures, cancellations and refunds', async () => {
    await send({});
    const { paymentIntents: intents, refunds } = provider.stripe;
    const declined = await intents.create({ amount: 100, currency: 'usd' });
    await intents.confirm(declined.id, { payment_method: 'tok_declined' }).catch(() => undefined);
    await intents.cancel(declined.id);
    const held = await intents.create({ amount: 100, currency: 'usd', capture_method: 'manual' });
    await intents.confirm(held.id, { payment_method: 'tok_refund_fails' });
    await intents.capture(held.id);
    const refund = await refunds.create({ payment_intent: held.id });
    await provider.admin('POST', `refunds/${refund.id}/fail`);
    const expected = [
      'charge.captured',
      'charge.refunded',
      'payment_intent.amount_capturable_updated',
      'payment_intent.canceled',
      'payment_intent.created',
      'payment_intent.created',
      'payment_intent.payment_failed',
      'payment_intent.succeeded',
      'refund.created',
      'refund.failed',
      'refund.updated',
    ];
    await eventually(() => expect(typesOf(merchant.events)).toEqual(expected));
  });

  it('are not believed under another secret', async () => {
    await send({ secret: 'another secret' });
    await create();
    await eventually(() => expect(merchant.forged).toBeGreaterThan(0));
    expect(merchant.events).toEqual([]);
  });

  it('come again until they are taken', async () => {
    merchant.answers = [500, 302, 404];
    await send({});
    await create();
    await eventually(() => expect(merchant.events).toHaveLength(1));
    expect(merchant.answers).toEqual([]);
  });

  it('come as often as is asked, each time the same event', async () => {
    await send({ repeat: 3 });
    await create();
    await eventually(() => expect(merchant.events).toHaveLength(3));
    expect(new Set(merchant.events.map(({ id }) => id)).size).toBe(1);
  });

  it.each([false, true])('overtake each other when they are shuffled, and only then: %s', async (shuffle) => {
    await send({ shuffle, seed: 3 });
    const ids: string[] = [];
    for (let made = 0; made < 12; made += 1) ids.push(await create());
    await eventually(() => expect(merchant.events).toHaveLength(ids.length));
    const arrived = merchant.events.map(({ data }) => (data.object as { id: string }).id);
    expect(arrived.toSorted()).toEqual(ids.toSorted());
    expect(String(arrived) === String(ids)).toBe(!shuffle);
  });

  it('get lost when that is asked for, and can be listed and sent again', async () => {
    await send({ dropRate: 1 });
    const id = await create();
    const [event] = (await provider.stripe.events.list({ types: ['payment_intent.created', 'payout.paid'] })).data;
    expect((await provider.stripe.events.list({ type: 'payout.paid' })).data).toEqual([]);
    expect(event).toMatchObject({ data: { object: { id } } });
    await send({});
    await provider.admin('POST', `events/${event!.id}/resend`);
    await eventually(() => expect(merchant.events.map((each) => each.id)).toEqual([event!.id]));
    expect(await provider.stripe.events.retrieve(event!.id)).toMatchObject({ id: event!.id });
  });

  it('go nowhere when they are off', async () => {
    expect(await provider.admin('GET', 'webhooks')).toMatchObject({ code: 'webhooks_off' });
    await create();
    const [event] = (await provider.stripe.events.list()).data;
    expect(await provider.admin('POST', `events/${event!.id}/resend`)).toMatchObject({ code: 'webhooks_off' });
    await send({ enabled: false });
    expect(await provider.admin('POST', `events/${event!.id}/resend`)).toMatchObject({ code: 'webhooks_off' });
    expect(await provider.admin('POST', 'events/evt_0/resend')).toMatchObject({ code: 'not_found' });
  });
});

it('the settings tell everything but the secret, and refuse what makes no sense', async () => {
  const settings = await send({ delayMs: 5 });
  expect(settings).toMatchObject({ url: merchant.url, enabled: true, delayMs: 5, repeat: 1 });
  expect(settings).not.toHaveProperty('secret');
  for (const wrong of [{ repeat: 11 }, { dropRate: 2 }, { url: 'ftp://x' }, { secret: 'short' }, { shufle: true }]) {
    expect(await send(wrong)).toMatchObject({ code: 'validation_failed' });
  }
});

it('a stop does not wait for a merchant, nor for events that are late', async () => {
  const other = await startProvider({ webhooks: { url: merchant.url, secret: SECRET } });
  merchant.answers = [503];
  await other.stripe.paymentIntents.create({ amount: 100, currency: 'usd' });
  await eventually(() => expect(merchant.answers).toEqual([]));
  await other.admin('PUT', 'webhooks', { url: merchant.url, secret: SECRET, delayMs: 60_000 });
  await other.stripe.paymentIntents.create({ amount: 100, currency: 'usd' });
  await other.close();
  expect(merchant.events).toEqual([]);
});

function send(change: Partial<WebhookSettings> & { shufle?: boolean }): Promise<object> {
  return provider.admin('PUT', 'webhooks', { url: merchant.url, secret: SECRET, ...change });
}

async function create(): Promise<string> {
  return (await provider.stripe.paymentIntents.create({ amount: 100, currency: 'usd' })).id;
}

function typesOf(events: { type: string }[]): string[] {
  return events.map(({ type }) => type).toSorted();
}
