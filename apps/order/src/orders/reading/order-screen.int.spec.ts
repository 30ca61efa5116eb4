/** The page of an order, with neighbours on real sockets and participants that answer as the test says. */
import { randomUUID } from 'node:crypto';
import type { Reply } from '@shop/messaging';
import { eventually, useStack } from '@shop/testing';
import { answersWith, bad, FakeNeighbour, type Way } from '@shop/service/testing';
import {
  callers,
  expectProblem,
  OrderApp,
  orderBody,
  type OrderJson,
  startOwnBroker,
} from '../../../testing/order-app';
import { allSucceed, Participants, refused, type Script, succeeded } from '../../../testing/participants';

const stack = useStack();
/** Long, so that a busy machine makes no good neighbour late. Those who never answer have their own app. */
const PATIENCE_MS = '20000';
const IMPATIENCE_MS = '100';
const url = 'https://bank.example/confirm/secret';
const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
const noItems = { items: [], next: null };
const waiting: Reply = {
  outcome: 'waiting',
  waiting: { until: expiresAt, for: 'customer', action: { type: 'redirect', url, expiresAt } },
};

interface Screen {
  order: OrderJson & { nextAction?: object };
  progress: { status: string; percent: number; text: string; step?: string; attempt?: number; until?: string };
  payment?: object;
  reservation?: object;
  delivery?: object;
  invoice?: object;
  degraded: string[];
}

let patient: OrderApp;
let impatient: OrderApp;
/** Knows no neighbours. */
let alone: OrderApp;
let participants: Participants;
let stopBroker: () => Promise<void>;
let inventory: FakeNeighbour;
let payment: FakeNeighbour;
let fulfilment: FakeNeighbour;

beforeAll(async () => {
  const broker = await startOwnBroker(stack);
  stopBroker = () => broker.stop();
  participants = await Participants.join(broker.natsUrl);
  [inventory, payment, fulfilment] = (await Promise.all([1, 2, 3].map(() => FakeNeighbour.open()))) as [
    FakeNeighbour,
    FakeNeighbour,
    FakeNeighbour,
  ];
  const urls = { databaseUrl: stack.databaseUrl, natsUrl: broker.natsUrl };
  const env = {
    INVENTORY_URL: inventory.url,
    PAYMENT_URL: payment.url,
    FULFILMENT_URL: fulfilment.url,
    NEIGHBOUR_KEY: 'the-key-of-order',
  };
  [patient, impatient, alone] = await Promise.all([
    OrderApp.start(urls, { ...env, NEIGHBOUR_TIMEOUT_MS: PATIENCE_MS }),
    OrderApp.start(urls, { ...env, NEIGHBOUR_TIMEOUT_MS: IMPATIENCE_MS }),
    OrderApp.start(urls),
  ]);
  await patient.putProduct('cup', 1_200);
});
beforeEach(() => {
  inventory.way = answersWith(404, { code: 'reservation_not_found' });
  payment.way = answersWith(200, noItems);
  fulfilment.way = answersWith(200, noItems);
});
afterAll(async () => {
  await Promise.all([patient.close(), impatient.close(), alone.close()]);
  await participants.leave();
  await Promise.all([inventory.close(), payment.close(), fulfilment.close(), stopBroker()]);
});

async function place(script: Script = {}): Promise<string> {
  const { id } = (await patient.place(orderBody({ payment: { source: 'tok_secret' } }))).json<OrderJson>();
  await participants.play(id, script);
  return id;
}
async function view(id: string, app = patient): Promise<Screen> {
  const answer = await app.get(`/orders/${id}/view`);
  expect(answer.statusCode).toBe(200);
  return answer.json<Screen>();
}
/** Waits for the saga to get there. */
const viewOf = (id: string, status: string, step?: string): Promise<Screen> =>
  eventually(async () => {
    const screen = await view(id);
    expect(screen.progress).toMatchObject({ status, ...(step && { step }) });
    return screen;
  });
const settled = async (id: string): Promise<string> =>
  (await patient.get(`/orders/${id}`, { headers: { prefer: 'wait=20' } })).json<OrderJson>().status;

const paymentOf = (orderId: string) => ({
  id: 'pmt_1',
  orderId,
  amount: 2_400,
  currency: 'EUR',
  status: 'succeeded',
  declineReason: 'told_to_operators',
  providerReference: 'pi_told_to_operators',
  source: 'tok_secret',
  captured: 2_400,
  refunded: 0,
  disputed: 0,
  version: 2,
});

/** Payment is asked for the payment, and for the invoice. */
const byAddress =
  (payments: Way, invoices: Way): Way =>
  (response, request) =>
    (request.url!.startsWith('/invoices') ? invoices : payments)(response, request);
const invoiceOf = (orderId: string): Way => {
  const totals = { gross: 2_400, net: 2_017, tax: 383, rates: [] };
  const invoice = { number: 'INV-2026-0001', kind: 'invoice', orderId, currency: 'EUR', totals, issuedAt: expiresAt };
  return answersWith(200, { ...noItems, items: [{ ...invoice, origin: 'told_to_operators', lines: [], version: 1 }] });
};
const deliveryOf = (orderId: string): Way => {
  const delivery = { id: 'dlv_1', orderId, status: 'handed_over', service: 'home', trackingNumber: 'TRK-1' };
  return answersWith(200, { ...noItems, items: [{ ...delivery, lastError: 'told_to_operators', version: 4 }] });
};

describe('the page of an order', () => {
  it('shows the order, how far it is, its payment and its reservation', async () => {
    const id = await place(allSucceed);
    expect(await settled(id)).toBe('confirmed');
    payment.way = byAddress(answersWith(200, { items: [paymentOf(id)], next: null }), invoiceOf(id));
    fulfilment.way = deliveryOf(id);
    const lines = [{ sku: 'cup', quantity: 2 }];
    const awaited = [{ sku: 'cup', quantity: 1 }];
    inventory.way = answersWith(200, { id, status: 'confirmed', lines, awaited, version: 3, takenBy: randomUUID() });
    const answer = await patient.get(`/orders/${id}/view`);
    expect(answer.headers).toMatchObject({ 'cache-control': 'no-store' });
    expect(answer.json()).toEqual({
      order: (await patient.get(`/orders/${id}`)).json<OrderJson>(),
      progress: { status: 'confirmed', percent: 100, text: 'Your order is confirmed.' },
      payment: { status: 'succeeded', amount: 2_400, currency: 'EUR', captured: 2_400, refunded: 0 },
      reservation: { status: 'confirmed', lines, awaited },
      delivery: { status: 'handed_over', service: 'home', trackingNumber: 'TRK-1' },
      invoice: { number: 'INV-2026-0001', amount: 2_400, tax: 383, currency: 'EUR', issuedAt: expiresAt },
      degraded: [],
    });
    expect(payment.heard.at(-1)).toMatchObject({ tenant: 'acme', authorization: 'Bearer the-key-of-order' });
    expect(inventory.heard.at(-1)).toMatchObject({ url: `/reservations/${id}`, tenant: 'acme' });
    expect(fulfilment.heard.at(-1)).toMatchObject({ url: `/deliveries?orderId=${id}&limit=1`, tenant: 'acme' });
  });

  it('has nothing yet of what is not made yet, and is complete', async () => {
    const screen = await view(await place());
    expect(screen).toMatchObject({ degraded: [], progress: { status: 'in_progress', percent: 10, step: 'reserve' } });
    expect(Object.keys(screen)).toEqual(['order', 'progress', 'degraded']);
  });

  it('shows an order in the moment in which it was placed, and cancelled when that was answered', async () => {
    const id = await place();
    expect((await view(id)).order).toMatchObject({ id, status: 'pending' });
    expect((await patient.call('DELETE', `/orders/${id}`)).statusCode).toBe(204);
    for (const app of [patient, alone]) {
      const { order, progress } = await view(id, app);
      expect([order.status, order.reason, progress.status]).toEqual([
        'cancelling',
        'cancelled_by_client',
        'cancelling',
      ]);
    }
  });

  it('shows an order that is not older than what it is shown with', async () => {
    const id = await place();
    payment.way = (response, request) =>
      void patient
        .call('DELETE', `/orders/${id}`)
        .then(() => answersWith(200, { items: [paymentOf(id)], next: null })(response, request));
    const { order, payment: shown } = await view(id);
    expect([order.status, shown]).toMatchObject(['cancelling', { status: 'succeeded' }]);
  });

  it('keeps the word of who cancels when the saga cannot turn round any more', async () => {
    const id = await place({ 'reserve/do': succeeded, 'charge/do': succeeded });
    await viewOf(id, 'in_progress', 'confirm');
    await patient.call('DELETE', `/orders/${id}`);
    expect((await view(id)).progress).toMatchObject({ status: 'cancelling', percent: 80, step: 'confirm' });
  });

  it('tells the customer what to do while the order waits for that', async () => {
    const { order, progress } = await viewOf(
      await place({ ...allSucceed, 'charge/do': waiting }),
      'waiting_for_customer',
    );
    expect(order).toMatchObject({ status: 'pending', nextAction: { type: 'redirect', url, expiresAt } });
    expect(progress).toMatchObject({ percent: 40, step: 'charge', until: expiresAt });
  });

  it('tells why an order is being cancelled, and then that it was', async () => {
    const id = await place({ 'reserve/do': succeeded, 'charge/do': refused('payment_declined') });
    const { progress } = await viewOf(id, 'cancelling', 'reserve');
    expect(progress.text).toBe(
      'Your order is being cancelled: the payment was declined. What was set aside for you is being put back.',
    );
    await participants.play(id, { 'reserve/undo': succeeded });
    expect(await settled(id)).toBe('cancelled');
    expect((await view(id)).progress).toEqual({
      status: 'cancelled',
      percent: 100,
      text: 'Your order was cancelled: the payment was declined. None of your money was kept.',
    });
  });

  it('follows the saga that cancels a confirmed order', async () => {
    const id = await place(allSucceed);
    expect(await settled(id)).toBe('confirmed');
    await patient.call('DELETE', `/orders/${id}`);
    const { progress } = await view(id);
    expect(progress).toMatchObject({ status: 'cancelling', percent: 10, step: 'stop-delivery' });
  });

  it('says that a parked order is looked after, and nothing of what operators do and write about it', async () => {
    const id = await place({ 'reserve/do': succeeded });
    await viewOf(id, 'in_progress', 'charge');
    await participants.play(id, { 'charge/undo': refused('charge_too_old') });
    await patient.call('DELETE', `/orders/${id}`);
    const { progress } = await viewOf(id, 'held_up');
    expect(progress.text).toMatch(/needs the attention of the shop\. You need not do anything\.$/);
    const act = { act: 'skip', reason: 'by bank transfer, ticket 4711' };
    const headers = { 'idempotency-key': randomUUID() };
    const done = await patient.call('POST', `/sagas/${id}/acts`, { key: callers.operator, body: act, headers });
    expect(done.statusCode).toBe(201);
    expect((await patient.get(`/orders/${id}/view`)).body).not.toMatch(/olga|4711|charge_too_old/);
  });

  it('R54 tells nothing of the payment that only operators may know', async () => {
    const id = await place(allSucceed);
    payment.way = answersWith(200, { items: [paymentOf(id)], next: null });
    expect((await patient.get(`/orders/${id}/view`)).body).not.toMatch(/told_to_operators|pmt_1|secret/);
  });

  it.each(['bob', 'rival'] as const)('R54 is not there for anybody else, and nobody is asked: %s', async (who) => {
    const id = await place();
    const [before, key] = [inventory.heard.length + payment.heard.length, callers[who]];
    expectProblem(await patient.get(`/orders/${id}/view`, { key }), 404, 'order_not_found');
    expectProblem(await patient.get(`/orders/${randomUUID()}/view`, { key }), 404, 'order_not_found');
    expectProblem(await patient.get('/orders/7/view', { key }), 404, 'order_not_found');
    expect(inventory.heard.length + payment.heard.length).toBe(before);
    expect((await patient.get(`/orders/${id}/view`, { key: callers.operator })).statusCode).toBe(200);
  });
});

describe('the page of an order whose neighbours are in trouble', () => {
  it.each<[string, () => void, string[]]>([
    ['fulfilment', () => (fulfilment.way = answersWith(503, { code: 'unavailable' })), ['delivery']],
    [
      'payment, for the invoice',
      () => (payment.way = byAddress(payment.way, answersWith(404, 'new here'))),
      ['invoice'],
    ],
    ['payment', () => (payment.way = answersWith(500, { code: 'internal_error' })), ['payment', 'invoice']],
  ])('names what a confirmed order goes without: %s', async (_, fail, degraded) => {
    const id = await place(allSucceed);
    expect(await settled(id)).toBe('confirmed');
    payment.way = byAddress(answersWith(200, { items: [paymentOf(id)], next: null }), invoiceOf(id));
    fulfilment.way = deliveryOf(id);
    fail();
    const screen = await view(id);
    expect(screen.degraded).toEqual(degraded);
    const parts = ['payment', 'delivery', 'invoice'];
    expect(parts.filter((part) => !(part in screen))).toEqual(degraded);
  });

  it.each(Object.keys(bad))('names the part of the one that %s, and has all else', async (name) => {
    const id = await place();
    inventory.way = answersWith(200, { id, status: 'open', lines: [] });
    payment.way = bad[name]!;
    const app = /never|no more/.test(name) ? impatient : patient;
    const screen = await view(id, app);
    expect(screen).toMatchObject({ order: { id, status: 'pending' }, progress: { step: 'reserve' } });
    expect([screen.degraded, 'payment' in screen]).toEqual([['payment'], false]);
    if (app === patient) expect(screen.reservation).toEqual({ status: 'open', lines: [] });
  });

  it('names both, also where they are not known at all', async () => {
    const id = await place();
    expect((await view(id, alone)).degraded).toEqual(['payment', 'reservation']);
    await inventory.close();
    const screen = await view(id).finally(() => inventory.reopen());
    expect(screen.degraded).toEqual(['reservation']);
  });

  it('answers everybody while payment is silent, leaves it alone soon, and shows it when it is back', async () => {
    const id = await place();
    payment.way = bad['accepts and never answers']!;
    const viewMany = async (times: number) =>
      new Set(
        (await Promise.all(Array.from({ length: times }, () => view(id, impatient)))).map(
          ({ degraded }) => degraded[0],
        ),
      );
    const before = payment.heard.length;
    expect(await viewMany(60)).toEqual(new Set(['payment']));
    const then = payment.heard.length;
    expect(then - before).toBeLessThan(60);
    expect(await viewMany(60)).toEqual(new Set(['payment']));
    // On a very slow machine its rest may be over meanwhile: then one call looks whether it is back.
    expect(payment.heard.length - then).toBeLessThan(3);
    payment.way = answersWith(200, { items: [paymentOf(id)], next: null });
    const isBack = async () => expect((await view(id, impatient)).payment).toMatchObject({ status: 'succeeded' });
    await eventually(isBack, { timeoutMs: 30_000 });
  });
});
