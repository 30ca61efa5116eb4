import { randomUUID } from 'node:crypto';
import { catalogue } from '@shop/system';
import { doubleMessages } from './doubled-messages';
import { Shop } from './shop';

interface SagaBody {
  status: string;
  history: { seq: number; event: string; step: string; from: string; to: string; attempt: number }[];
}

const START_TIMEOUT_MS = 60_000;

describe.each([['each message delivered once'], ['each message delivered twice']])('placing orders, %s', (delivery) => {
  let shop: Shop;
  let doubling: Awaited<ReturnType<typeof doubleMessages>> | undefined;

  beforeAll(async () => {
    shop = await Shop.open(catalogue);
    if (delivery.includes('twice')) doubling = await doubleMessages(shop.system.stack.natsUrl);
  }, START_TIMEOUT_MS);

  afterAll(async () => {
    await doubling?.stop();
    await shop?.close();
  });

  const path = async (id: string): Promise<string[]> => {
    const { body } = await shop.order.get<SagaBody>(`/orders/${id}/saga`);
    return body.history.map(({ to }) => to);
  };

  it('R1 reserves, charges and confirms', async () => {
    const placed = await shop.place([{ sku: 'cup', quantity: 2 }]);
    expect(placed.status).toBe(201);
    expect(placed.headers.get('location')).toBe(`/orders/${placed.body.id}`);
    expect((await shop.settled(placed.body.id)).body.status).toBe('confirmed');
    expect(await path(placed.body.id)).toEqual(['reserve.do', 'charge.do', 'confirm.do', 'completed']);
  });

  it('R2 cancels what is out of stock, and charges nothing', async () => {
    const { body } = await shop.place([{ sku: 'unicorn', quantity: 1 }]);
    expect((await shop.settled(body.id)).body).toMatchObject({ status: 'cancelled', reason: 'out_of_stock' });
    expect(await path(body.id)).toEqual(['reserve.do', 'compensated']);
  });

  it('R2 releases the reservation of a declined order', async () => {
    const { body } = await shop.place([{ sku: 'beans', quantity: 1 }], 'tok_declined');
    expect((await shop.settled(body.id)).body).toMatchObject({ status: 'cancelled', reason: 'payment_declined' });
    expect(await path(body.id)).toEqual(['reserve.do', 'charge.do', 'reserve.undo', 'compensated']);
  });

  it('R2 reserves all lines or none', async () => {
    const { body } = await shop.place([
      { sku: 'cup', quantity: 1 },
      { sku: 'unicorn', quantity: 1 },
    ]);
    expect((await shop.settled(body.id)).body.reason).toBe('out_of_stock');
  });

  it('R9 refunds and restocks a confirmed order that is cancelled, once', async () => {
    const { body } = await shop.place([{ sku: 'grinder', quantity: 2 }]);
    await shop.settled(body.id);
    for (let repeat = 0; repeat < 3; repeat++) {
      expect((await shop.order.send('DELETE', `/orders/${body.id}`)).status).toBe(204);
    }
    expect((await shop.settled(body.id)).body).toMatchObject({ status: 'cancelled', reason: 'cancelled_by_client' });
  });

  it('R9 cancels an order at any moment of its saga', async () => {
    const ids: string[] = [];
    for (let delayMs = 0; delayMs < 30; delayMs += 5) {
      const { body } = await shop.place([{ sku: 'cup', quantity: 1 }]);
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      expect((await shop.order.send('DELETE', `/orders/${body.id}`)).status).toBe(204);
      ids.push(body.id);
    }
    for (const id of ids) expect((await shop.settled(id)).body.status).toBe('cancelled');
  });

  it('R12 answers a hundred identical, simultaneous POSTs with one order', async () => {
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => shop.place([{ sku: 'cup', quantity: 1 }], 'tok_ok', 'hundred')),
    );
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    expect(answers.filter(({ headers }) => headers.get('idempotent-replayed') === 'true')).toHaveLength(99);
  });

  it('R4 asks again for a charge whose answer was lost, and charges once', async () => {
    const { body } = await shop.place([{ sku: 'beans', quantity: 1 }], 'tok_timeout_once');
    expect((await shop.settled(body.id)).body.status).toBe('confirmed');
  });

  it.each([
    ['ISK', 5_001, 500_100],
    ['MGA', 1_200, 12],
    ['KWD', 5_120, 5_120],
    ['JPY', 500, 500],
  ])('R38 takes and gives back in the units of the provider: %s', async (currency, amount, units) => {
    const source = `tok_${randomUUID().replaceAll('-', '')}`;
    const paid = await shop.payment.post<{ id: string }>('/payments', { amount, currency, source }, randomUUID());
    expect([paid.status, paid.body]).toMatchObject([201, { amount, currency, status: 'succeeded' }]);
    const refund = await shop.payment.post(`/payments/${paid.body.id}/refunds`, { amount }, randomUUID());
    expect(refund.status).toBe(201);
    const { body } = await shop.sandbox.get<{ charges: { metadata: { paymentId: string } }[] }>('/admin/charges');
    expect(body.charges.filter(({ metadata }) => metadata.paymentId === paid.body.id)).toMatchObject([
      { amount: units, refunded: units, currency: currency.toLowerCase() },
    ]);
  });

  it('R48 writes each path to the log exactly as to the history', async () => {
    const { body } = await shop.place([{ sku: 'cup', quantity: 1 }], 'tok_declined');
    await shop.settled(body.id);
    const saga = await shop.order.get<SagaBody>(`/orders/${body.id}/saga`);
    const told = () => shop.lines().filter(({ orderId, seq }) => orderId === body.id && seq !== undefined);
    for (let tries = 0; told().length < saga.body.history.length && tries < 100; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const pick = ({ seq, step, from, to, attempt }: Record<string, unknown>) => ({ seq, step, from, to, attempt });
    expect(told().map(pick)).toEqual(saga.body.history.map((entry) => pick(entry)));
  });

  it('leaves exact books', async () => {
    expect((await shop.books()).faults).toEqual([]);
    if (doubling) expect(doubling.copies()).toBeGreaterThan(20);
  });
});
