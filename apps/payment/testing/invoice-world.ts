/** Two replicas of the payment service with an order service and a tax service, and what the tests of invoices ask. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServiceUrls } from '@shop/service/testing';
import { eventually } from '@shop/testing';
import { touchCreditChecks } from '../src/invoices/credit-checks.repository';
import type { InvoiceView } from '../src/invoices/invoice.view';
import { OrderServer } from './order-server';
import { type Call, PaymentApps } from './payment-apps';
import { TaxServer } from './tax-server';

export class InvoiceWorld {
  /** How often an invoice was asked for. */
  asked = 0;

  private constructor(
    readonly apps: PaymentApps,
    readonly orders: OrderServer,
    readonly tax: TaxServer,
  ) {}

  static async open(urls: ServiceUrls): Promise<InvoiceWorld> {
    const [orders, tax] = await Promise.all([OrderServer.open(), TaxServer.open()]);
    const addresses = { ORDER_URL: orders.url, NEIGHBOUR_KEY: 'the-neighbours-key', TAX_URL: tax.url };
    return new InvoiceWorld(await PaymentApps.open(urls, addresses), orders, tax);
  }

  async close(): Promise<void> {
    await this.apps.close();
    await Promise.all([this.orders.close(), this.tax.close()]);
  }

  /** All works again, and nothing was heard. */
  calm(): void {
    Object.assign(this.orders, { fails: undefined });
    Object.assign(this.tax, { ways: [], always: undefined });
    this.orders.heard.length = 0;
    this.tax.heard.length = 0;
  }

  issue(orderId: string, call?: Call) {
    this.asked++;
    return this.apps.post('/invoices', { orderId }, call);
  }

  /** The invoice of a new order. */
  async issued(order = this.orders.add(), call?: Call): Promise<InvoiceView> {
    const answer = await this.issue(order.id, call);
    expect(answer.statusCode).toBe(201);
    return answer.json<InvoiceView>();
  }

  put(number: string, body: object, { as, headers, replica = 0 }: Call = {}) {
    return this.apps.replica(replica).call('PUT', `/invoices/${number}`, { key: as, body, headers });
  }

  /** All invoices, or credit notes, of the tenant: the numbers in the order of their places. */
  async places(kind: 'invoice' | 'credit_note', tenant = 'acme'): Promise<number[]> {
    const rows = await this.apps.query<{ place: number }>(
      `select split_part(number, '-', 3)::int as place from invoice where kind = $1 and tenant = $2 order by 1`,
      [kind, tenant],
    );
    return rows.map(({ place }) => place);
  }

  async creditNotesOf(orderId: string): Promise<InvoiceView[]> {
    const answer = await this.apps.read(`/invoices?orderId=${orderId}&kind=credit_note`);
    return answer.json<{ items: InvoiceView[] }>().items;
  }

  /** Asks under one key until the invoice is made: whoever was not answered may come again. */
  until201(orderId: string, { key = randomUUID(), ...call }: Call = {}): Promise<InvoiceView> {
    return eventually(
      async () => {
        const answer = await this.issue(orderId, { ...call, key });
        expect(answer.statusCode).toBe(201);
        return answer.json<InvoiceView>();
      },
      { timeoutMs: 50_000, intervalMs: 200 },
    );
  }

  /** The same as one of many, who comes again when he was told to, and not at the same moment as the others. */
  async patiently201(orderId: string, call: Call = {}): Promise<InvoiceView> {
    const endsAt = performance.now() + 150_000;
    for (const key = randomUUID(); ;) {
      const answer = await this.issue(orderId, { ...call, key });
      if (answer.statusCode === 201) return answer.json<InvoiceView>();
      if (performance.now() > endsAt) throw new Error(`still ${answer.statusCode}: ${answer.body}`);
      await sleep(Number(answer.headers['retry-after'] ?? 1) * 1_000 * (1 + Math.random()));
    }
  }

  /** The tax service has been told of everything. */
  untilTold(): Promise<void> {
    const open = `select number from tax_task where status = 'open'`;
    return eventually(async () => expect(await this.apps.query(open)).toEqual([]), { timeoutMs: 30_000 });
  }

  /** Nothing is left to look at, so what is there is all. */
  untilLooked(): Promise<void> {
    return eventually(async () => expect(await this.apps.query('select order_id from credit_check')).toEqual([]), {
      timeoutMs: 10_000,
    });
  }

  /** A payment of the order, which has succeeded. */
  async paid(orderId: string): Promise<string> {
    const { id } = await this.apps.paid();
    await this.apps.query('update payment set order_id = $2 where id = $1', [id, orderId]);
    return id;
  }

  /** Gives a part of it back over HTTP, as if it belonged to no order. */
  async giveBack(paymentId: string, amount: number): Promise<string> {
    const [row] = await this.apps.query<{ order_id: string }>('select order_id from payment where id = $1', [
      paymentId,
    ]);
    await this.apps.query('update payment set order_id = null where id = $1', [paymentId]);
    const answer = await this.apps.refund(paymentId, amount);
    await this.apps.query('update payment set order_id = $2 where id = $1', [paymentId, row!.order_id]);
    expect([201, 202]).toContain(answer.statusCode);
    return answer.json<{ id: string }>().id;
  }

  /** The same for the payment of an order, which allows it behind a refund that has failed. */
  async giveBackForOrder(paymentId: string, amount: number, key?: string): Promise<string> {
    await this.apps.query(
      `insert into refund (tenant, id, payment_id, amount, status) values ('acme', $1, $2, 1, 'failed')`,
      [`rfd_${randomUUID()}`, paymentId],
    );
    const answer = await this.apps.refund(paymentId, amount, { key });
    expect(answer.statusCode).toBe(201);
    return answer.json<{ id: string }>().id;
  }

  /** The orders are looked at again. */
  async touch(...orderIds: string[]): Promise<void> {
    const orders = orderIds.map((orderId) => ({ tenant: 'acme', orderId }));
    await this.apps.database.transaction(async (tx) => touchCreditChecks(tx, orders));
  }

  until(check: () => Promise<void>): Promise<void> {
    return eventually(check, { timeoutMs: 20_000 });
  }
}

/** From the first one on, one after the other. */
export const consecutive = (places: readonly number[]): number[] => places.map((_, index) => index + 1);

/** What an earlier system has made. */
export const broughtBody = (changed: object = {}) => ({
  currency: 'EUR',
  issuedAt: '2020-03-01T12:00:00.000Z',
  lines: [{ sku: 'cup', quantity: 2, gross: 1_190, rate: 1_900, net: 1_000, tax: 190 }],
  totals: {
    gross: 1_190,
    net: 1_000,
    tax: 190,
    rates: [{ rate: 1_900, gross: 1_190, net: 1_000, tax: 190 }],
  },
  ...changed,
});
