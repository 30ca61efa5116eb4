/** Orders, cancellations and invoices while everything around fulfilment fails at random, and its replicas are killed. */
import { randomUUID } from 'node:crypto';
import { createWorkload, inParallel, type Posting, type ServiceProcess } from '@shop/system';
import { eventually, seededRandom } from '@shop/testing';
import { AfterOrder } from './after-order';
import { gapsIn } from './invoice-numbers';
import { type Order, Shop } from './shop';

const ORDERS = 150;
const CUSTOMERS = 100;
const WIDTH = 16;
/** Of the answers of the mail server, the carrier and the tax service. */
const FAILING = 0.3;
const KILLS = 12;
const MAX_PAUSE_MS = 1_500;
const TIMEOUT_MS = 300_000;
const patiently = { timeoutMs: 120_000, intervalMs: 250 };
/** STORM_SEED repeats a run. */
const SEED = Number(process.env['STORM_SEED'] ?? Date.now() % 100_000);

describe('R40 R43 a storm around fulfilment', () => {
  let shop: Shop;
  let after: AfterOrder;
  const workload = createWorkload({
    orders: ORDERS,
    seed: SEED,
    skus: 50,
    declined: 0.1,
    outOfStock: 0,
    repeated: 0.1,
  });

  beforeAll(async () => {
    shop = await Shop.open(workload.products);
    after = new AfterOrder(shop);
    await inParallel([...Array(CUSTOMERS).keys()], WIDTH, (n) => after.introduce(`customer-${n}`));
  }, TIMEOUT_MS);
  afterAll(() => shop?.close(), TIMEOUT_MS);

  /** One after the other, so that mostly the other one is at work. */
  async function killAtRandom(replicas: readonly ServiceProcess[], isOver: () => boolean): Promise<number> {
    const random = seededRandom(SEED);
    let kills = 0;
    while (kills < KILLS || !isOver()) {
      await new Promise((resolve) => setTimeout(resolve, random.int(MAX_PAUSE_MS)));
      const victim = random.pick(replicas);
      await victim.kill('SIGKILL');
      await victim.start();
      kills++;
    }
    return kills;
  }

  /** The same key again, until there is an answer that counts. */
  const invoiced = (orderId: string): Promise<string> => {
    const key = randomUUID();
    return eventually(async () => {
      const { status, body } = await after.invoice(orderId, key);
      expect([200, 201]).toContain(status);
      return body.number;
    }, patiently);
  };

  /** Every third confirmed order is cancelled, and every second one wants an invoice: some want both. */
  async function live(posting: Posting, index: number): Promise<void> {
    const { status, body } = await shop.post(posting);
    expect(status).toBe(201);
    const ended = await eventually(async () => {
      const answer = (await shop.settled(body.id)).body;
      expect(['confirmed', 'cancelled']).toContain(answer.status);
      return answer;
    }, patiently);
    if (posting.repeat || ended.status !== 'confirmed') return;
    const tasks = [];
    if (index % 2 === 0) tasks.push(invoiced(body.id).catch((error: Error) => unlessCancelled(body.id, error)));
    if (index % 3 === 0) tasks.push(shop.order.send('DELETE', `/orders/${body.id}`));
    await Promise.all(tasks);
  }

  /** An order that is being cancelled gets no invoice any more. */
  async function unlessCancelled(id: string, error: Error): Promise<void> {
    if (!/cancel/.test((await shop.order.get<Order>(`/orders/${id}`)).body.status)) throw error;
  }

  it(
    `R40 loses and doubles no mail, no points, no parcel and no number of an invoice (STORM_SEED=${SEED})`,
    async () => {
      const replicas = [shop.system.services.fulfilment, await shop.system.addReplica('fulfilment')];
      await after.misbehave(FAILING, SEED);
      let over = false;
      const killing = killAtRandom(replicas, () => over);
      await inParallel([...workload.postings.entries()], WIDTH, ([index, posting]) => live(posting, index)).finally(
        () => (over = true),
      );
      expect(await killing).toBeGreaterThanOrEqual(KILLS);
      await eventually(async () => {
        const orders = await shop.order.all<Order>('/orders');
        expect(orders.filter(({ status }) => status !== 'confirmed' && status !== 'cancelled')).toEqual([]);
      }, patiently);

      const books = await shop.books();
      expect(books.faults).toEqual([]);
      expect(books.orders).toBe(ORDERS);
      expect(books.confirmed).toBeGreaterThan(0);
      expect(books.cancelled).toBeGreaterThan(0);
      const invoices = await shop.payment.all<{ number: string; orderId: string; kind: string }>('/invoices');
      const byKind = (kind: string) => invoices.filter((invoice) => invoice.kind === kind);
      expect(byKind('invoice').length).toBeGreaterThan(0);
      for (const kind of ['invoice', 'credit_note']) {
        expect(gapsIn(byKind(kind).map(({ number }) => number))).toEqual([]);
        const orders = byKind(kind).map(({ orderId }) => orderId);
        expect(new Set(orders).size).toBe(orders.length);
      }
      await after.behave();
    },
    TIMEOUT_MS,
  );
});
