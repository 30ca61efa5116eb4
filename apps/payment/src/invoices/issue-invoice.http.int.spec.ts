/** `POST /invoices` over HTTP: two replicas of the payment service, an order service and a tax service. */
import { randomUUID } from 'node:crypto';
import { expectProblem } from '@shop/http/testing';
import { bad } from '@shop/service/testing';
import { useStack } from '@shop/testing';
import { consecutive, InvoiceWorld } from '../../testing/invoice-world';
import { callers, outcomeOf, seenIn } from '../../testing/payment-apps';
import { preparePaymentDatabase } from '../../testing/payment-replicas';
import type { InvoiceView } from './invoice.view';

const stack = useStack({ migrate: preparePaymentDatabase, templateKey: 'payment' });
let world: InvoiceWorld;

beforeAll(async () => {
  world = await InvoiceWorld.open(stack);
});
beforeEach(() => world.calm());
afterAll(() => world.close());

const expectNoGap = async () => {
  const places = await world.places('invoice');
  expect(places).toEqual(consecutive(places));
};

describe('R39 the invoice of an order', () => {
  it('R39 has the next number of the year, the lines of the order, and its tax by rate', async () => {
    const order = world.orders.add();
    const answer = await world.issue(order.id);
    const invoice = answer.json<InvoiceView>();
    expect(answer.headers).toMatchObject({ location: `/invoices/${invoice.number}`, etag: '"1"' });
    expect(invoice).toEqual({
      number: expect.stringMatching(/^INV-\d{4}-\d{4}$/) as string,
      kind: 'invoice',
      origin: 'issued',
      orderId: order.id,
      currency: 'EUR',
      lines: [
        { sku: 'cup', quantity: 2, rate: 1_900, gross: 3_600, net: 3_025, tax: 575 },
        { sku: 'book-of-cups', quantity: 1, rate: 700, gross: 600, net: 561, tax: 39 },
      ],
      totals: {
        gross: 4_200,
        net: 3_586,
        tax: 614,
        rates: [
          { rate: 1_900, gross: 3_600, net: 3_025, tax: 575 },
          { rate: 700, gross: 600, net: 561, tax: 39 },
        ],
      },
      issuedAt: expect.stringContaining(invoice.number.slice(4, 8)) as string,
      version: 1,
    });
    expect((await world.apps.read(`/invoices/${invoice.number}`)).body).toBe(answer.body);
    await world.untilTold();
    expect(world.tax.transactions.has(`acme.${invoice.number}`)).toBe(true);
  });

  it('R39 is there once: the same key gets the same answer, and another key the same invoice', async () => {
    const { id } = world.orders.add();
    const key = randomUUID();
    const first = await world.issue(id, { key });
    const again = await world.issue(id, { key, replica: 1 });
    expect(seenIn(again)).toEqual(seenIn(first));
    expect(again.headers['idempotent-replayed']).toBe('true');
    const other = await world.issue(id);
    expect([other.statusCode, other.body]).toEqual([200, first.body]);
    const shouted = await world.issue(id.toUpperCase());
    expect([shouted.statusCode, shouted.body]).toEqual([200, first.body]);
    await expectNoGap();
  });

  it('R39 is one for many who ask at the same time on two replicas', async () => {
    const { id } = world.orders.add();
    const ask = (_: unknown, index: number) => world.issue(id, { replica: index % 2 ? 1 : 0 });
    const answers = await Promise.all(Array.from({ length: 20 }, ask));
    expect(new Set(answers.map(({ body }) => body)).size).toBe(1);
    expect(answers.filter(({ statusCode }) => statusCode === 201)).toHaveLength(1);
    await expectNoGap();
  });

  it('R39 has a series for each tenant', async () => {
    const order = world.orders.add({ tenant: 'rival' });
    const invoice = await world.issued(order, { as: callers.rival });
    expect(invoice.number).toMatch(/-0001$/);
    expectProblem(await world.issue(order.id), 422, 'unknown_order');
    expectProblem(await world.apps.read('/invoices/INV-2020-0001', { as: callers.rival }), 404, 'invoice_not_found');
  });
});

describe('R39 without the tax service', () => {
  it('R39 there is no invoice and no gap, and the same key makes it later', async () => {
    world.tax.always = { status: 500 };
    const { id } = world.orders.add();
    const key = randomUUID();
    const places = await world.places('invoice');
    const refused = await world.issue(id, { key });
    expectProblem(refused, 503, 'tax_unavailable');
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect(world.tax.asked).toContain('POST /quotes');
    expect(await world.places('invoice')).toEqual(places);
    world.calm();
    const invoice = await world.until201(id, { key, replica: 1 });
    expect((await world.issue(id, { key })).json()).toEqual(invoice);
    expect(await world.places('invoice')).toHaveLength(places.length + 1);
    await expectNoGap();
  }, 30_000);

  it('R39 an invoice that is there is found', async () => {
    const invoice = await world.issued();
    world.calm();
    world.tax.always = { status: 500 };
    world.orders.fails = bad['answers 500'];
    expect((await world.issue(invoice.orderId!)).json()).toEqual(invoice);
    expect(world.tax.asked).not.toContain('POST /quotes');
  });

  it('R39 an order whose tax is refused is not invoiced', async () => {
    const { id } = world.orders.add();
    const key = randomUUID();
    await world.untilTold();
    world.tax.always = { status: 422, body: { code: 'unknown_country' } };
    const refused = await world.issue(id, { key });
    expectProblem(refused, 422, 'tax_refused');
    expect(refused.json()).toMatchObject({ taxCode: 'unknown_country' });
    world.calm();
    await world.until201(id, { key });
  });
});

describe('R39 an order that cannot be invoiced', () => {
  it.each(['pending', 'cancelling', 'cancelled'])(
    'R39 because it is %s, may be when it is confirmed',
    async (status) => {
      const order = world.orders.add({ status });
      const key = randomUUID();
      expectProblem(await world.issue(order.id, { key }), 409, 'order_not_confirmed');
      world.orders.add({ ...order, status: 'confirmed' });
      expect(outcomeOf(await world.issue(order.id, { key }))).toBe('201 ok');
    },
  );

  it('R39 because nobody knows it', async () => {
    expectProblem(await world.issue(randomUUID()), 422, 'unknown_order');
    expectProblem(await world.apps.post('/invoices', { orderId: 'x' }), 400, 'validation_failed');
  });

  it.each(['answers 500', 'does not know the key', 'answers another form', 'answers no JSON'])(
    'R39 because the order service %s, may be later',
    async (way) => {
      world.orders.fails = bad[way];
      const { id } = world.orders.add();
      const key = randomUUID();
      const refused = await world.issue(id, { key });
      expectProblem(refused, 503, 'orders_unavailable');
      expect(refused.headers['retry-after']).toBeDefined();
      world.calm();
      await world.until201(id, { key });
    },
  );

  it('R39 because its lines do not come to what was paid', async () => {
    const { id } = world.orders.add({ total: { amount: 4_199, currency: 'EUR' } });
    expectProblem(await world.issue(id), 503, 'orders_unavailable');
  });
});

describe('R39 a customer', () => {
  const as = callers.customer;

  it('R39 has an invoice of its own order, and sees it, and no other customer does', async () => {
    const invoice = await world.issued(world.orders.add(), { as });
    const url = `/invoices/${invoice.number}`;
    expect((await world.apps.read(url, { as })).json()).toEqual(invoice);
    const others = { as: callers.cora };
    expectProblem(await world.apps.read(url, others), 404, 'invoice_not_found');
    expectProblem(await world.issue(invoice.orderId!, others), 422, 'unknown_order');
    const list = (call: { as: string }) => world.apps.read(`/invoices?orderId=${invoice.orderId}`, call);
    expect((await list({ as })).json()).toEqual({ items: [invoice], next: null });
    expect((await list(others)).json()).toEqual({ items: [], next: null });
  });

  it('R39 has none of an order of which nobody knows who has placed it', async () => {
    const { id } = world.orders.add({ placedBy: undefined });
    expectProblem(await world.issue(id, { as }), 422, 'unknown_order');
    expect(outcomeOf(await world.issue(id))).toBe('201 ok');
    expectProblem(await world.issue(id, { as }), 422, 'unknown_order');
  });
});
