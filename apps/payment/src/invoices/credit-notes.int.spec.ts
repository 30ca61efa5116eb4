/** Credit notes for refunds, whatever comes first, on two replicas of the payment service. */
import { randomUUID } from 'node:crypto';
import { useStack } from '@shop/testing';
import { broughtBody, consecutive, InvoiceWorld } from '../../testing/invoice-world';
import { callers } from '../../testing/payment-apps';
import { preparePaymentDatabase } from '../../testing/payment-replicas';
import { SettlingRefunds } from '../refunds/settling-refunds';
import type { InvoiceView } from './invoice.view';

const stack = useStack({ migrate: preparePaymentDatabase, templateKey: 'payment' });
let world: InvoiceWorld;

beforeAll(async () => {
  world = await InvoiceWorld.open(stack);
});
beforeEach(() => {
  world.calm();
  world.apps.provider.refundsBegin = 'succeeded';
});
afterAll(() => world.close());

/** An order that was paid and has an invoice. */
async function sold(): Promise<{ orderId: string; paymentId: string; invoice: InvoiceView }> {
  const order = world.orders.add();
  const paymentId = await world.paid(order.id);
  return { orderId: order.id, paymentId, invoice: await world.issued(order) };
}

const grossOf = (notes: readonly InvoiceView[]): number[] => notes.map(({ totals }) => totals.gross);

async function notesOf(orderId: string): Promise<InvoiceView[]> {
  await world.untilLooked();
  return world.creditNotesOf(orderId);
}

const refundedEvents = (paymentId: string) =>
  world.apps.query<{ data: object }>(
    `select event -> 'data' as data from outbox
     where event ->> 'subject' = $1 and event ->> 'type' = 'payment.refunded.v1'`,
    [paymentId],
  );

describe('R39 a refund of an order with an invoice', () => {
  it('R39 gets one credit note with the rates that it takes off', async () => {
    const { orderId, paymentId, invoice } = await sold();
    const refundId = await world.giveBack(paymentId, 4_200);
    await world.touch(orderId);
    const [note, ...more] = await notesOf(orderId);
    expect(more).toEqual([]);
    expect(note).toEqual({
      number: expect.stringMatching(/^CN-\d{4}-\d{4}$/) as string,
      kind: 'credit_note',
      origin: 'issued',
      orderId,
      currency: 'EUR',
      lines: [],
      totals: invoice.totals,
      credits: invoice.number,
      refundId,
      issuedAt: expect.any(String) as string,
      version: 1,
    });
    const as = callers.customer;
    expect((await world.apps.read(`/invoices/${note!.number}`, { as })).json()).toEqual(note);
    await world.untilTold();
    const told = world.tax.transactions.get(`acme.${invoice.number}`)!;
    expect([...told.refunds]).toEqual([[note!.number, 4_200]]);
  });

  it('R39 is credited part by part, and never more than the invoice', async () => {
    const { orderId, paymentId, invoice } = await sold();
    for (const amount of [1_000, 1, 3_199]) await world.giveBack(paymentId, amount);
    await world.touch(orderId);
    const notes = await notesOf(orderId);
    expect(grossOf(notes).sort()).toEqual([1, 1_000, 3_199]);
    for (const { rate, tax } of invoice.totals.rates) {
      const parts = notes.flatMap(({ totals }) => totals.rates).filter((part) => part.rate === rate);
      expect(parts.reduce((sum, part) => sum + part.tax, 0)).toBe(tax);
    }
    for (let again = 0; again < 3; again++) await world.touch(orderId);
    expect(await notesOf(orderId)).toEqual(notes);
  });

  it('R39 that came before the invoice is credited behind it', async () => {
    const order = world.orders.add();
    const paymentId = await world.paid(order.id);
    await world.giveBack(paymentId, 200);
    await world.touch(order.id);
    expect(await notesOf(order.id)).toEqual([]);
    await world.issued(order);
    expect(grossOf(await notesOf(order.id))).toEqual([200]);
  });

  it('R39 is credited once when many invoices, refunds and looks come at the same time', async () => {
    const orders = Array.from({ length: 20 }, () => world.orders.add());
    const payments = await Promise.all(orders.map(({ id }) => world.paid(id)));
    await Promise.all([
      ...orders.map(({ id }, index) => world.issue(id, { replica: index % 2 ? 1 : 0 })),
      ...payments.map(async (paymentId, index) => {
        await world.giveBack(paymentId, 4_200);
        await world.touch(orders[index]!.id);
      }),
    ]);
    for (const { id } of orders) expect(grossOf(await notesOf(id))).toEqual([4_200]);
    const places = await world.places('credit_note');
    expect(places).toEqual(consecutive(places));
  }, 60_000);

  it('R39 of an invoice that was brought is credited, and the tax service hears nothing', async () => {
    const order = world.orders.add();
    const paymentId = await world.paid(order.id);
    const number = 'INV-1999-0001';
    await world.put(number, broughtBody({ orderId: order.id }));
    await world.giveBack(paymentId, 1_190);
    await world.touch(order.id);
    const [note] = await notesOf(order.id);
    expect(note).toMatchObject({ credits: number, totals: broughtBody().totals });
    expect(await world.apps.query('select number from tax_task where invoice = $1', [number])).toEqual([]);
    const changed = await world.put(number, broughtBody({ issuedAt: '2020-03-02T12:00:00.000Z', orderId: order.id }));
    expect([changed.statusCode, changed.json<{ code: string }>().code]).toEqual([409, 'invoice_credited']);
  });
});

describe('R57 money that the customer has back', () => {
  it('R57 is told once, with its order', async () => {
    const { orderId, paymentId } = await sold();
    const key = randomUUID();
    const refundId = await world.giveBackForOrder(paymentId, 1_000, key);
    const data = { tenant: 'acme', paymentId, orderId, refundId, amount: 1_000, currency: 'USD' };
    expect(await refundedEvents(paymentId)).toEqual([{ data }]);
  });

  it('R57 is told when the bank has it, and not before, and is credited then', async () => {
    const { orderId, paymentId } = await sold();
    world.apps.provider.refundsBegin = 'pending';
    const refundId = await world.giveBack(paymentId, 4_200);
    expect(await notesOf(orderId)).toEqual([]);
    expect(await refundedEvents(paymentId)).toEqual([]);
    world.apps.provider.decideRefunds(paymentId, 'succeeded');
    const settling = world.apps.get<SettlingRefunds>(SettlingRefunds);
    await Promise.all(Array.from({ length: 5 }, () => settling.settle({ tenant: 'acme', id: refundId })));
    expect(await refundedEvents(paymentId)).toHaveLength(1);
    expect(grossOf(await notesOf(orderId))).toEqual([4_200]);
  });

  it('R57 and came back from the bank is credited once when it is given back again', async () => {
    const { orderId, paymentId } = await sold();
    const refundId = await world.giveBack(paymentId, 4_200);
    await world.touch(orderId);
    expect(await notesOf(orderId)).toHaveLength(1);
    world.apps.provider.decideRefunds(paymentId, 'failed');
    await world.apps.get<SettlingRefunds>(SettlingRefunds).settle({ tenant: 'acme', id: refundId });
    await world.giveBackForOrder(paymentId, 4_200);
    expect(await refundedEvents(paymentId)).toHaveLength(2);
    expect(grossOf(await notesOf(orderId))).toEqual([4_200]);
  });

  it('R39 a look that fails is put off, and holds up no other order', async () => {
    const [bad, good] = [await sold(), await sold()];
    await world.giveBack(bad.paymentId, 100);
    await world.giveBack(good.paymentId, 100);
    // Rates that are none: nobody can share anything out over them.
    const spoil = (rates: string) =>
      world.apps.query('update invoice set rates = $2::jsonb where number = $1', [bad.invoice.number, rates]);
    await spoil('[{"rate": 1900, "gross": "x"}]');
    await world.touch(bad.orderId, good.orderId);
    const state = () =>
      world.apps.query<{ order_id: string; attempts: number }>('select order_id, attempts from credit_check');
    await world.until(async () =>
      expect(await state()).toEqual([{ order_id: bad.orderId, attempts: expect.any(Number) as number }]),
    );
    expect(grossOf(await world.creditNotesOf(good.orderId))).toEqual([100]);
    await spoil(JSON.stringify(bad.invoice.totals.rates));
    await world.touch(bad.orderId);
    expect(grossOf(await notesOf(bad.orderId))).toEqual([100]);
  });
});
