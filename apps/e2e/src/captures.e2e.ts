/** Money that is held, taken in parts, given back and disputed, with the provider's SDK against the sandbox. */
import { catalogue } from '@shop/system';
import { eventually } from '@shop/testing';
import { Shop } from './shop';

interface Payment {
  id: string;
  status: string;
  captured: number;
  refunded: number;
  disputed: number;
  expiresAt?: string;
}

interface Charge {
  captured: number;
  refunded: number;
  disputed: boolean;
  metadata: { paymentId?: string };
}

const TIMEOUT_MS = 120_000;

let shop: Shop;

beforeAll(async () => {
  shop = await Shop.open(catalogue);
}, TIMEOUT_MS);
afterAll(() => shop?.close());

const chargeOf = async (paymentId: string) =>
  (await shop.sandbox.get<{ charges: Charge[] }>('/admin/charges')).body.charges.find(
    ({ metadata }) => metadata.paymentId === paymentId,
  );
const paymentOf = async (id: string) => (await shop.payment.get<Payment>(`/payments/${id}`)).body;
const statusOf = async (answer: Promise<{ status: number }>) => (await answer).status;

async function held(key: string): Promise<Payment> {
  const body = { amount: 4_200, currency: 'USD', source: 'tok_ok', capture: 'manual' };
  const answer = await shop.payment.post<Payment>('/payments', body, key);
  expect(answer.status).toBe(201);
  return answer.body;
}

it(
  'R58 money is held for days, taken in parts, and what was not taken is released',
  async () => {
    const payment = await held('held-1');
    expect(payment).toMatchObject({ status: 'authorized', captured: 0 });
    // The charge at the provider tells it: seven days here.
    expect(Date.parse(payment.expiresAt!)).toBeGreaterThan(Date.parse('2026-01-01'));
    const url = `/payments/${payment.id}/captures`;
    expect(await statusOf(shop.payment.post(url, { amount: 1_000 }, 'part-1'))).toBe(201);
    expect(await statusOf(shop.payment.post(url, { amount: 1_000 }, 'part-1'))).toBe(201);
    expect(await statusOf(shop.payment.post(url, { amount: 4_000 }, 'part-2'))).toBe(409);
    expect(await statusOf(shop.payment.post(url, { amount: 500, final: true }, 'part-3'))).toBe(201);
    expect(await paymentOf(payment.id)).toMatchObject({ status: 'succeeded', captured: 1_500 });
    expect(await statusOf(shop.payment.post(`/payments/${payment.id}/refunds`, { amount: 1_500 }, 'back-1'))).toBe(201);
    expect(await chargeOf(payment.id)).toMatchObject({ captured: 1_500, refunded: 1_500 });
  },
  TIMEOUT_MS,
);

it(
  'R57 an order that is cancelled under a dispute ends, and is not parked',
  async () => {
    const { body } = await shop.place([{ sku: 'beans', quantity: 1 }], 'tok_disputed');
    expect((await shop.settled(body.id)).body).toMatchObject({ status: 'confirmed' });
    expect((await shop.order.send('DELETE', `/orders/${body.id}`)).status).toBe(204);
    expect((await shop.settled(body.id)).body).toMatchObject({ status: 'cancelled' });
    const { items } = (await shop.payment.get<{ items: { paymentId: string; status: string }[] }>('/disputes')).body;
    expect(items).toHaveLength(1);
    const payment = await paymentOf(items[0]!.paymentId);
    const charge = (await chargeOf(payment.id))!;
    expect(charge).toMatchObject({ disputed: true, refunded: payment.refunded });
    expect(payment.disputed + payment.refunded).toBe(charge.captured);
  },
  TIMEOUT_MS,
);

it(
  'R57 a refund that its bank turns down is found out without a webhook, and is owed again',
  async () => {
    const body = { amount: 4_200, currency: 'USD', source: 'tok_refund_pending' };
    const { id } = (await shop.payment.post<Payment>('/payments', body, 'paid-1')).body;
    const url = `/payments/${id}/refunds`;
    const refund = await shop.payment.post<{ status: string; providerReference: string }>(
      url,
      { amount: 4_200 },
      'back-2',
    );
    expect(refund).toMatchObject({ status: 202, body: { status: 'pending' } });
    expect(await paymentOf(id)).toMatchObject({ refunded: 4_200 });
    await shop.sandbox.send('POST', `/admin/refunds/${refund.body.providerReference}/fail`);
    await eventually(async () => expect(await paymentOf(id)).toMatchObject({ refunded: 0 }), { timeoutMs: 60_000 });
    const { items } = (await shop.payment.get<{ items: object[] }>(url)).body;
    expect(items).toMatchObject([{ status: 'failed', amount: 4_200 }]);
  },
  TIMEOUT_MS,
);
