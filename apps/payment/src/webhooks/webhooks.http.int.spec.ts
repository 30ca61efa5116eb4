/** POST /webhooks/stripe as the provider sees it, and as somebody sees it who is not the provider. */
import { randomUUID } from 'node:crypto';
import { expectProblem, metricsNow, type TestClient } from '@shop/http/testing';
import { eventually, useStack } from '@shop/testing';
import { callers, openPaymentApp, PaymentApps, paymentBody, type PaymentJson } from '../../testing/payment-apps';
import { preparePaymentDatabase } from '../../testing/payment-replicas';
import { type EventChanges, providerEvent, signatureOf, WEBHOOK_SECRET } from '../../testing/webhook-events';

const NEXT_SECRET = 'whsec_of_the_tests_0002';
const stack = useStack({ migrate: preparePaymentDatabase, templateKey: 'payment' });
let apps: PaymentApps;

beforeAll(async () => {
  apps = await PaymentApps.open(stack, { STRIPE_WEBHOOK_SECRETS: `${WEBHOOK_SECRET}, ${NEXT_SECRET}` });
});
afterAll(() => apps.close());

/** An event about nothing that is here. */
const eventText = (changes?: EventChanges): string =>
  JSON.stringify(providerEvent({ tenant: 'acme', id: 'pmt_none', intentId: 'pi_none' }, changes));

const rowsOf = (id: string) => apps.query<Record<string, unknown>>('select * from provider_event where id = $1', [id]);

const countOf = async (type: string, outcome: string): Promise<number> => {
  const line = `provider_events_received_total{type="${type}",outcome="${outcome}"} `;
  return Number(
    (await metricsNow())
      .split('\n')
      .find((one) => one.startsWith(line))
      ?.slice(line.length) ?? 0,
  );
};

/** A payment that waits for its customer, and is not asked about for an hour. */
async function waitingPayment(): Promise<{ tenant: string; id: string; intentId: string }> {
  const answer = await apps.pay(paymentBody({ source: `tok_3ds_${randomUUID()}` }));
  expect(answer.statusCode).toBe(202);
  const { id } = answer.json<PaymentJson>();
  await apps.query(`update payment set check_at = now() + interval '1 hour' where id = $1`, [id]);
  return { tenant: 'acme', id, intentId: apps.provider.intentsOf(id)[0]!.intent.reference };
}

describe('R57 an event of the provider', () => {
  it('R57 is answered when it is stored and before it is worked on; then the payment is paid', async () => {
    const payment = await waitingPayment();
    apps.provider.decide(payment.id, 'approved');
    apps.provider.plan(payment.id, 'hangs');
    const event = providerEvent(payment);
    const answer = await apps.hook(JSON.stringify(event));
    expect([answer.statusCode, answer.json()]).toEqual([200, { received: true }]);
    expect(await rowsOf(event.id)).toMatchObject([{ status: 'open', payment_id: payment.id, tenant: 'acme' }]);
    await eventually(() => expect(apps.provider.isHanging(payment.id)).toBe(true));
    expect((await apps.payment(payment.id)).status).toBe('requires_action');
    apps.provider.letGo(payment.id);
    await eventually(async () => expect((await apps.payment(payment.id)).status).toBe('succeeded'));
    await eventually(async () => expect(await rowsOf(event.id)).toMatchObject([{ status: 'done', last_error: null }]));
  });

  it('R57 is kept without anything but ids', async () => {
    const object = { id: 'pi_none', object: 'payment_intent', receipt_email: 'carl@example.com', amount: 4_200 };
    const event = JSON.parse(eventText({ object })) as { id: string };
    await apps.hook(JSON.stringify(event));
    const [row] = await rowsOf(event.id);
    expect(row).toMatchObject({ type: 'payment_intent.succeeded', object_id: 'pi_none', intent_id: 'pi_none' });
    expect(JSON.stringify(row)).not.toContain('carl');
  });

  it('R57 is stored once, however often and wherever it comes, and each time it is answered with 200', async () => {
    const first = JSON.parse(eventText()) as { id: string };
    // What a repeat says of its delivery differs.
    const bodies = Array.from({ length: 12 }, (_, number) => JSON.stringify({ ...first, pending_webhooks: number }));
    const answers = await Promise.all(bodies.map((body, number) => apps.hook(body, undefined, number % 2 ? 1 : 0)));
    expect(answers.map(({ statusCode }) => statusCode)).toEqual(bodies.map(() => 200));
    expect(await rowsOf(first.id)).toHaveLength(1);
    // The ledger has forgotten it, and its row has not.
    await apps.forget(first.id);
    expect((await apps.hook(bodies[0]!)).statusCode).toBe(200);
    expect(await rowsOf(first.id)).toHaveLength(1);
  });

  it('R57 with a known id and other content changes nothing, and is told to the provider', async () => {
    const id = `evt_${randomUUID()}`;
    await apps.hook(eventText({ id }));
    expectProblem(await apps.hook(eventText({ id, type: 'payment_intent.canceled' })), 409, 'event_id_reused');
    expect(await rowsOf(id)).toMatchObject([{ type: 'payment_intent.succeeded' }]);
  });

  it('R57 may be signed with any of the secrets, so that one can be replaced', async () => {
    const body = eventText();
    const signed = await apps.hook(body, { 'stripe-signature': signatureOf(body, { secret: NEXT_SECRET }) });
    expect(signed.statusCode).toBe(200);
  });

  it('R57 may be longer than other bodies, to a limit', async () => {
    const long = (length: number) => eventText({ object: { id: 'pi_none', description: 'x'.repeat(length) } });
    expect((await apps.hook(long(100 * 1_024))).statusCode).toBe(200);
    expectProblem(await apps.hook(long(256 * 1_024)), 413, 'body_too_large');
  });
});

describe('R57 who is not the provider', () => {
  const body = eventText();
  it.each<[string, () => Record<string, string>, string?]>([
    ['has no signature', () => ({})],
    ['has an empty signature', () => ({ 'stripe-signature': '' })],
    ['has a signature that is none', () => ({ 'stripe-signature': 't=now,v1=nothing' })],
    ['has another secret', () => ({ 'stripe-signature': signatureOf(body, { secret: 'whsec_of_somebody_else' }) })],
    ['has the signature of other content', () => ({ 'stripe-signature': signatureOf(eventText()) })],
    [
      'sends again what was signed an hour ago',
      () => ({ 'stripe-signature': signatureOf(body, { ageSeconds: 3_600 }) }),
    ],
    ['has changed one byte', () => ({ 'stripe-signature': signatureOf(body) }), `${body} `],
    ['sends no JSON', () => ({ 'stripe-signature': 't=1,v1=00' }), 'hello'],
    ['sends nothing', () => ({ 'stripe-signature': 't=1,v1=00' }), ''],
  ])('R57 %s: 400, and nothing is kept', async (_, headers, sent = body) => {
    const before = await countOf('other', 'forged');
    const answer = await apps.hook(sent, headers());
    expectProblem(answer, 400, 'signature_invalid');
    expect(answer.body).not.toContain('whsec');
    expect(await rowsOf((JSON.parse(body) as { id: string }).id)).toEqual([]);
    expect(await countOf('other', 'forged')).toBe(before + 1);
  });

  it('R57 cannot pay a payment with a forged event, nor with a signed one that is not true', async () => {
    const payment = await waitingPayment();
    const event = providerEvent(payment);
    expect((await apps.hook(JSON.stringify(event), { 'stripe-signature': 't=1,v1=00' })).statusCode).toBe(400);
    expect((await apps.hook(JSON.stringify(event))).statusCode).toBe(200);
    await eventually(async () => expect(await rowsOf(event.id)).toMatchObject([{ status: 'done' }]));
    expect((await apps.payment(payment.id)).status).toBe('requires_action');
    expect(apps.provider.taken(payment.id)).toBe(0);
  });
});

describe('R57 what is signed and of no use', () => {
  it.each<[string, EventChanges, string, string]>([
    ['is of another account', { account: 'acct_other' }, 'payment_intent.succeeded', 'foreign'],
    ['is of the other mode', { livemode: true }, 'payment_intent.succeeded', 'foreign'],
    ['is of a type that nobody needs', { type: 'customer.created' }, 'other', 'unknown'],
  ])('R57 %s: 200, counted, and not kept', async (_, changes, label, outcome) => {
    const before = await countOf(label, outcome);
    const body = eventText(changes);
    expect((await apps.hook(body)).statusCode).toBe(200);
    expect(await rowsOf((JSON.parse(body) as { id: string }).id)).toEqual([]);
    expect(await countOf(label, outcome)).toBe(before + 1);
  });

  it.each([
    ['no JSON', 'hello'],
    ['no event', '[]'],
    ['an event without an id', '{"type":"payout.paid","created":1}'],
  ])('R57 is %s: 400', async (_, body) => expectProblem(await apps.hook(body), 400, 'malformed_request'));
});

describe('R57 a service', () => {
  let client: TestClient;
  afterEach(() => client.close());
  const send = (body: string, signature = signatureOf(body)) =>
    client.call('POST', '/webhooks/stripe', { key: null, body, headers: { 'stripe-signature': signature } });

  it('R57 without a secret believes nobody', async () => {
    client = await openPaymentApp(stack);
    expectProblem(await send(eventText()), 404, 'webhooks_not_configured');
  });

  it('R57 with a live key takes live events only', async () => {
    const env = { STRIPE_WEBHOOK_SECRETS: WEBHOOK_SECRET, STRIPE_API_KEY: 'sk_live_of_the_tests' };
    client = await openPaymentApp(stack, apps.provider, env);
    const [test, live] = [eventText(), eventText({ livemode: true })];
    expect([(await send(test)).statusCode, (await send(live)).statusCode]).toEqual([200, 200]);
    const idOf = (text: string) => (JSON.parse(text) as { id: string }).id;
    expect([await rowsOf(idOf(test)), await rowsOf(idOf(live))]).toEqual([[], [expect.anything()]]);
  });

  it('R57 refuses strangers that try often, and never the provider', async () => {
    const env = { STRIPE_WEBHOOK_SECRETS: WEBHOOK_SECRET, RATE_LIMIT_STRANGERS: '3' };
    client = await openPaymentApp(stack, apps.provider, env);
    const statuses: number[] = [];
    for (let time = 1; time <= 5; time++) statuses.push((await send(eventText(), 't=1,v1=00')).statusCode);
    expect(statuses).toEqual([400, 400, 400, 429, 429]);
    expect((await send(eventText())).statusCode).toBe(200);
  });
});

describe('R57 events that are kept', () => {
  it('R57 are shown to those who run the system, by status and page by page', async () => {
    const texts = Array.from({ length: 3 }, () => eventText());
    for (const text of texts) await apps.hook(text);
    const ids = texts.map((text) => (JSON.parse(text) as { id: string }).id);
    const seen: string[] = [];
    let next: string | null = '';
    while (next !== null) {
      const url: string = `/provider-events?status=open&limit=2${next && `&cursor=${next}`}`;
      const page = (await apps.read(url, { as: callers.platform })).json<{ items: { id: string }[]; next: string }>();
      seen.push(...page.items.map(({ id }) => id));
      next = page.next;
    }
    expect(seen).toEqual(expect.arrayContaining(ids));
    expect(new Set(seen).size).toBe(seen.length);
    expectProblem(await apps.read('/provider-events?status=any', { as: callers.platform }), 400, 'validation_failed');
    expectProblem(await apps.read('/provider-events'), 403, 'forbidden');
  });
});
