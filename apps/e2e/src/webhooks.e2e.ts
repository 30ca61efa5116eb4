/** Events of the payment provider through the whole system: the sandbox signs and sends them, the payment service listens. */
import { randomUUID } from 'node:crypto';
import { eventually } from '@shop/testing';
import { Shop } from './shop';

const START_TIMEOUT_MS = 60_000;
const AMOUNT = 4_200;

interface Payment {
  id: string;
  status: string;
  providerReference: string;
}
interface ProviderEvent {
  type: string;
  paymentId: string | null;
  objectId: string;
  status: string;
}

let shop: Shop;
beforeAll(async () => {
  shop = await Shop.open([]);
}, START_TIMEOUT_MS);
afterAll(() => shop?.close());

async function waitingPayment(): Promise<Payment> {
  const made = await shop.payment.post<Payment>(
    '/payments',
    { amount: AMOUNT, currency: 'EUR', source: 'tok_3ds' },
    randomUUID(),
  );
  expect([made.status, made.body.status]).toEqual([202, 'requires_action']);
  return made.body;
}

const decide = async ({ providerReference }: Payment, outcome: 'approve' | 'decline') => {
  expect((await shop.sandbox.post(`/admin/intents/${providerReference}/${outcome}`, {})).status).toBe(200);
};
const statusOf = async ({ id }: Payment) => (await shop.payment.get<Payment>(`/payments/${id}`)).body.status;
const eventsOf = async ({ id }: Payment): Promise<string[]> => {
  const path = '/provider-events?status=done&limit=200';
  const { items } = (await shop.payment.get<{ items: ProviderEvent[] }>(path)).body;
  return items.filter(({ paymentId }) => paymentId === id).map(({ type }) => type);
};

describe('R57 events of the provider', () => {
  it.each([
    ['approve', 'succeeded', 'payment_intent.succeeded'],
    ['decline', 'declined', 'payment_intent.payment_failed'],
  ] as const)('R57 tell the end of a payment that the customer had to approve: %s', async (outcome, status, type) => {
    const payment = await waitingPayment();
    await decide(payment, outcome);
    await eventually(async () => expect(await statusOf(payment)).toBe(status));
    await eventually(async () => expect(await eventsOf(payment)).toContain(type));
  });

  it('R57 are not needed: without any, a payment ends alike', async () => {
    const url = `${shop.system.urls.payment}/webhooks/stripe`;
    const set = (changes: object) =>
      shop.sandbox.put('/admin/webhooks', { url, secret: 'whsec_development', ...changes });
    expect((await set({ dropRate: 1 })).status).toBe(200);
    const payment = await waitingPayment();
    await decide(payment, 'approve');
    await eventually(async () => expect(await statusOf(payment)).toBe('succeeded'), { timeoutMs: 20_000 });
    expect(await eventsOf(payment)).toEqual([]);
    expect((await set({})).status).toBe(200);
  });

  it('R57 may come twice, late and shuffled', async () => {
    const url = `${shop.system.urls.payment}/webhooks/stripe`;
    const bad = { repeat: 3, shuffle: true, jitterMs: 300, seed: 7 };
    await shop.sandbox.put('/admin/webhooks', { url, secret: 'whsec_development', ...bad });
    const payments = await Promise.all(Array.from({ length: 5 }, waitingPayment));
    await Promise.all(payments.map((payment, number) => decide(payment, number % 2 ? 'approve' : 'decline')));
    const ends = payments.map((_, number) => (number % 2 ? 'succeeded' : 'declined'));
    await eventually(async () => expect(await Promise.all(payments.map(statusOf))).toEqual(ends));
    await shop.sandbox.put('/admin/webhooks', { url, secret: 'whsec_development' });
  });

  it('R57 tell of payouts, which are shown as the provider has them', async () => {
    const paid = await shop.sandbox.post<{ id: string }>('/admin/payouts', { currency: 'eur' });
    expect(paid.status).toBe(200);
    const payouts = () => shop.payment.get<{ items: { id: string; status: string; currency: string }[] }>('/payouts');
    await eventually(async () =>
      expect((await payouts()).body.items).toMatchObject([{ id: paid.body.id, status: 'paid', currency: 'EUR' }]),
    );
  });

  it('R57 are believed when they are signed, and by nobody else', async () => {
    const forged = await shop.payment.send<{ code: string }>('POST', '/webhooks/stripe', {
      headers: { 'stripe-signature': 't=1,v1=00' },
      body: { id: 'evt_1', type: 'payment_intent.succeeded', created: 1, data: { object: { id: 'pi_1' } } },
    });
    expect([forged.status, forged.body.code]).toEqual([400, 'signature_invalid']);
  });
});
