/** Many invoices at once over two replicas of payment, one of which is killed, while the tax service fails. */
import { randomUUID } from 'node:crypto';
import { ApiClient, DEVELOPMENT_KEY, inParallel } from '@shop/system';
import { eventually } from '@shop/testing';
import { AfterOrder, type Invoice } from './after-order';
import { gapsIn } from './invoice-numbers';
import { type Order, Shop } from './shop';

const AT_ONCE = 500;
const WIDTH = 32;
const TIMEOUT_MS = 300_000;
const patiently = { timeoutMs: 120_000, intervalMs: 200 };
const PRODUCT = { sku: 'book-1', name: 'A book', price: 1_999, onHand: 1_000_000 };

interface TaxTransaction {
  number: string;
}

describe('R39 invoices', () => {
  let shop: Shop;
  let after: AfterOrder;
  let replica: ApiClient;
  let orders: string[];

  beforeAll(async () => {
    shop = await Shop.open([PRODUCT]);
    after = new AfterOrder(shop);
    orders = [];
    await inParallel([...Array(AT_ONCE).keys()], WIDTH, async (n) => {
      const items = [{ sku: PRODUCT.sku, quantity: 1 + (n % 3) }];
      const body = { customerId: `customer-${n}`, items, payment: { source: 'tok_ok' } };
      orders.push((await shop.post({ key: randomUUID(), body })).body.id);
    });
    await inParallel(orders, WIDTH, (id) => ended(id, 'confirmed'));
  }, TIMEOUT_MS);
  afterAll(() => shop?.close(), TIMEOUT_MS);

  const ended = (id: string, status: string) =>
    eventually(async () => expect((await shop.settled(id)).body.status).toBe(status), patiently);
  const invoices = () => shop.payment.all<Invoice>('/invoices');
  const transactions = async () =>
    (await shop.sandbox.get<{ transactions: TaxTransaction[] }>('/admin/tax-transactions')).body.transactions;

  it(
    `R39 ${AT_ONCE} at once have consecutive numbers, though a replica is killed and the tax service fails`,
    async () => {
      const second = await shop.system.addReplica('payment');
      replica = new ApiClient(second.url, DEVELOPMENT_KEY);
      await after.misbehave(0.1, 39);
      const answers = new Map<string, string>();
      let killing: Promise<void> | undefined;
      const killOnce = async () => {
        await second.kill('SIGKILL');
        await second.start();
      };
      await Promise.all(
        orders.map(async (orderId, index) => {
          const key = randomUUID();
          const clients = index % 2 ? [shop.payment, replica] : [replica, shop.payment];
          let tries = 0;
          const number = await eventually(async () => {
            // Whoever gets no answer asks the other replica, with the same key.
            const { status, body } = await clients[tries++ % 2]!.post<Invoice>('/invoices', { orderId }, key);
            expect([200, 201]).toContain(status);
            return body.number;
          }, patiently);
          answers.set(orderId, number);
          if (answers.size === AT_ONCE / 10) killing = killOnce();
        }),
      );
      await killing;
      await after.behave();
      const issued = await invoices();
      expect(issued).toHaveLength(AT_ONCE);
      expect(gapsIn(issued.map(({ number }) => number))).toEqual([]);
      for (const { orderId, number } of issued) expect(answers.get(orderId)).toBe(number);
    },
    TIMEOUT_MS,
  );

  it(
    'R39 are told to the tax service once each, however often the answer was lost',
    async () => {
      // The account at the tax service is that of all tenants.
      const issued = (await invoices()).map(({ number }) => `demo.${number}`).sort();
      await eventually(async () => {
        expect((await transactions()).map(({ number }) => number).sort()).toEqual(issued);
      }, patiently);
    },
    TIMEOUT_MS,
  );

  it(
    'R39 stay one for an order, whatever the key, and say 503 without taking a number while the tax service is away',
    async () => {
      const [first] = await invoices();
      const again = await after.invoice(first!.orderId, randomUUID());
      expect([again.status, again.body.number]).toEqual([200, first!.number]);

      const { body } = await shop.place([{ sku: PRODUCT.sku, quantity: 1 }]);
      await ended(body.id, 'confirmed');
      await shop.sandbox.put('/admin/tax-faults', { errorRate: 1, seed: 1 });
      const key = randomUUID();
      const refused = await after.invoice(body.id, key);
      expect([refused.status, refused.body.code]).toEqual([503, 'tax_unavailable']);
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
      await shop.sandbox.send('DELETE', '/admin/tax-faults');
      // The circuit may rest for a moment.
      const made = await eventually(async () => {
        const answer = await after.invoice(body.id, key);
        expect(answer.status).toBe(201);
        return answer.body;
      }, patiently);
      expect(Number(made.number.split('-')[2])).toBe(AT_ONCE + 1);
      expect(gapsIn((await invoices()).map(({ number }) => number))).toEqual([]);
    },
    TIMEOUT_MS,
  );

  it(
    'R39 are followed by one credit note when the order is cancelled, also when the tax service refuses the refund',
    async () => {
      const { orderId, totals } = (await invoices())[0]!;
      await shop.sandbox.put('/admin/tax-faults', { refuseRefunds: true, seed: 1 });
      expect((await shop.order.send('DELETE', `/orders/${orderId}`)).status).toBe(204);
      await ended(orderId, 'cancelled');
      const note = await eventually(async () => {
        const { items } = (await shop.payment.get<{ items: Invoice[] }>(`/invoices?orderId=${orderId}`)).body;
        const notes = items.filter(({ kind }) => kind === 'credit_note');
        expect(notes).toHaveLength(1);
        return notes[0]!;
      }, patiently);
      expect(note.number).toMatch(/^CN-\d{4}-0001$/);
      expect(note.totals.gross).toBe(totals.gross);
      // What the tax service does not take is put aside, where an operator sees it.
      await eventually(async () => {
        const { body } = await shop.payment.get<{ items: object[] }>('/tax-tasks?status=parked');
        expect(body.items).toHaveLength(1);
      }, patiently);
      await shop.sandbox.send('DELETE', '/admin/tax-faults');
      expect((await shop.books()).faults).toEqual([]);
    },
    TIMEOUT_MS,
  );

  it(
    'R39 are papers too, the same byte for byte each time',
    async () => {
      const { number } = (await invoices())[0]!;
      const paper = async () => {
        const headers = { authorization: `Bearer ${DEVELOPMENT_KEY}`, accept: 'application/pdf' };
        const answer = await fetch(`${shop.system.urls.payment}/invoices/${number}`, { headers });
        expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/pdf']);
        return { etag: answer.headers.get('etag'), bytes: Buffer.from(await answer.arrayBuffer()) };
      };
      const [first, second] = [await paper(), await paper()];
      expect(first.bytes.subarray(0, 5).toString()).toBe('%PDF-');
      expect(second).toEqual(first);
      const { etag } = first;
      const known = await shop.payment.get<Order>(`/invoices/${number}`, {
        accept: 'application/pdf',
        'if-none-match': etag!,
      });
      expect(known.status).toBe(304);
    },
    TIMEOUT_MS,
  );
});
