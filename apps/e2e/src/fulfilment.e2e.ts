/** What follows an order, and what the news of it does when it comes again, late, the wrong way round, or not at all. */
import { createWorkload, inParallel } from '@shop/system';
import { eventually, seededRandom } from '@shop/testing';
import { AfterOrder } from './after-order';
import { OrderEvents, renamed } from './order-events';
import { type Order, Shop } from './shop';
import { queryIn } from './tables';

const ORDERS = 60;
const CUSTOMERS = 10;
const WIDTH = 16;
const REPEATS = 20;
const TIMEOUT_MS = 240_000;
/** The machine may be busy with something else. */
const patiently = { timeoutMs: 90_000, intervalMs: 250 };
const SEED = 18;

describe('R40 what follows an order', () => {
  let shop: Shop;
  let after: AfterOrder;
  let events: OrderEvents;
  const workload = createWorkload({ orders: 1, seed: SEED, skus: 20 });
  const [, product] = workload.products;
  const customers = Array.from({ length: CUSTOMERS }, (_, n) => `customer-${n}`);

  beforeAll(async () => {
    shop = await Shop.open(workload.products);
    after = new AfterOrder(shop);
    events = await OrderEvents.open(shop.system.stack.natsUrl);
    for (const customer of customers) await after.introduce(customer);
  }, TIMEOUT_MS);
  afterAll(async () => {
    await events?.close();
    await shop?.close();
  }, TIMEOUT_MS);

  const place = async (customerId: string, source = 'tok_ok'): Promise<string> => {
    const items = [{ sku: product!.sku, quantity: 1 }];
    const { body } = await shop.post({ key: crypto.randomUUID(), body: { customerId, items, payment: { source } } });
    return body.id;
  };
  const ended = (id: string, status: string) =>
    eventually(async () => expect((await shop.settled(id)).body.status).toBe(status), patiently);
  const cancel = async (id: string): Promise<void> => {
    expect((await shop.order.send('DELETE', `/orders/${id}`)).status).toBe(204);
    await ended(id, 'cancelled');
  };

  /** One third is confirmed, one third is cancelled after it, and one third is declined. */
  async function mixed(count: number): Promise<string[]> {
    const ids: string[] = [];
    await inParallel([...Array(count).keys()], WIDTH, async (n) => {
      const id = await place(customers[n % CUSTOMERS]!, n % 3 === 2 ? 'tok_declined' : 'tok_ok');
      await ended(id, n % 3 === 2 ? 'cancelled' : 'confirmed');
      if (n % 3 === 1) await cancel(id);
      ids.push(id);
    });
    return ids;
  }

  /** All that has left the house so far. */
  async function sent(): Promise<object> {
    const [mails, shipments] = [await after.mails(), await after.shipments()];
    const points = await Promise.all(customers.map((customer) => after.points(customer)));
    return {
      mails: mails.map(({ messageId }) => messageId).sort(),
      shipments: shipments.map(({ id, status }) => `${id} ${status}`).sort(),
      entries: points.map(({ balance, items }) => [balance, items.length]),
    };
  }

  async function expectEvenBooks(): Promise<void> {
    const books = await shop.books();
    expect(books.faults).toEqual([]);
    expect(books.unsettled).toBe(0);
  }

  const untilHeard = () => eventually(async () => expect(await events.unheard()).toBe(0), patiently);

  /** The end of each order has been published. */
  async function untilPublished(ids: readonly string[]): Promise<void> {
    await eventually(async () => {
      const orders = await Promise.all(ids.map((id) => shop.order.get<Order>(`/orders/${id}`)));
      const published = new Set((await events.read()).map(({ type, data }) => `${data.orderId} ${type}`));
      const missing = orders.filter(({ body }) => !published.has(`${body.id} order.${body.status}.v1`));
      expect(missing.map(({ body }) => body.id)).toEqual([]);
    }, patiently);
  }

  /** As if the days were over for which the stream and the outbox keep them. */
  async function forgetEvents(): Promise<void> {
    await queryIn(shop, 'order', 'delete from outbox_batch');
    await queryIn(shop, 'order', 'delete from outbox');
    await events.purge();
  }

  it(
    'R40 a customer gets a mail, points and a parcel, and gives back points and parcel with the order',
    async () => {
      await after.introduce('greta', { locale: 'de' });
      const id = await place('greta');
      expect((await shop.settled(id)).body.status).toBe('confirmed');
      await eventually(async () => expect((await after.delivery(id))?.status).toBe('handed_over'), patiently);
      const delivery = (await after.delivery(id))!;
      expect(delivery.trackingNumber).toEqual(expect.any(String));
      const [mail, ...others] = await eventually(async () => {
        const mails = await after.mails('greta');
        expect(mails).not.toEqual([]);
        return mails;
      }, patiently);
      expect(others).toEqual([]);
      expect(mail!.subject).toMatch(/Bestellung/);
      expect((await after.points('greta')).balance).toBeGreaterThan(0);

      await cancel(id);
      expect((await after.delivery(id))!.status).toBe('recalled');
      await eventually(async () => {
        expect((await after.points('greta')).balance).toBe(0);
        // Confirmed, cancelled, and the money is back.
        expect(await after.mails('greta')).toHaveLength(3);
      }, patiently);
      expect((await after.points('greta')).items).toHaveLength(2);
      await expectEvenBooks();
    },
    TIMEOUT_MS,
  );

  it(
    `R22 R40 news that comes ${REPEATS} more times, shuffled and under other ids too, changes nothing`,
    async () => {
      const ids = await mixed(ORDERS);
      await expectEvenBooks();
      await untilPublished(ids);
      const before = await sent();
      const all = await events.read();
      const random = seededRandom(SEED);
      for (let round = 0; round < REPEATS; round++) {
        await events.publish(random.shuffle(round % 2 ? all.map(renamed) : all));
      }
      await untilHeard();
      await expectEvenBooks();
      expect(await sent()).toEqual(before);
    },
    TIMEOUT_MS,
  );

  it(
    'R40 news that is heard the wrong way round ends alike: what was cancelled first is not begun any more',
    async () => {
      await shop.system.services.fulfilment.kill('SIGKILL');
      const confirmed = await Promise.all(customers.map((customer) => place(customer)));
      for (const id of confirmed) expect((await shop.settled(id)).body.status).toBe('confirmed');
      // The pivot of a cancellation waits for fulfilment, so it is asked for, and not awaited.
      const given = confirmed.slice(0, CUSTOMERS / 2);
      for (const id of given) expect((await shop.order.send('DELETE', `/orders/${id}`)).status).toBe(204);
      await untilConfirmedIsPublished(confirmed);
      const all = await events.read();
      const cancelled = all
        .filter(({ type, data }) => type === 'order.confirmed.v1' && given.includes(data.orderId))
        .map((event) => ({ ...renamed(event), type: 'order.cancelled.v1', data: cancelledBodyOf(event.data) }));
      await forgetEvents();
      await events.publish([...cancelled, ...[...all].reverse()]);
      await shop.system.services.fulfilment.start();
      for (const id of given) expect((await shop.settled(id)).body.status).toBe('cancelled');
      await untilHeard();
      await expectEvenBooks();
      const orders = new Set((await after.shipments()).map(({ reference }) => reference));
      const begun = await Promise.all(given.map((id) => after.delivery(id)));
      expect(begun.filter((delivery) => delivery && orders.has(delivery.id))).toEqual([]);
      const told = await Promise.all(given.map((id) => after.notifications(id)));
      expect(told.flat().filter(({ template }) => template === 'order-confirmed')).toEqual([]);
    },
    TIMEOUT_MS,
  );

  async function untilConfirmedIsPublished(ids: readonly string[]): Promise<void> {
    await eventually(async () => {
      const published = (await events.read()).filter(({ type }) => type === 'order.confirmed.v1');
      const known = new Set(published.map(({ data }) => data.orderId));
      expect(ids.filter((id) => !known.has(id))).toEqual([]);
    }, patiently);
  }

  it(
    'R10 R40 fulfilment that was away while orders came and the broker lost its disk does the rest when it is back',
    async () => {
      await shop.system.services.fulfilment.kill('SIGKILL');
      const ids = await Promise.all(customers.map((customer) => place(customer)));
      const declined = await Promise.all(customers.map((customer) => place(customer, 'tok_declined')));
      for (const id of [...ids, ...declined]) await shop.settled(id);
      await untilPublished([...ids, ...declined]);
      await shop.system.stack.wipeNats();
      await shop.system.services.fulfilment.start();
      await untilPublished([...ids, ...declined]);
      await eventually(async () => {
        const deliveries = await Promise.all(ids.map((id) => after.delivery(id)));
        expect(deliveries.map((delivery) => delivery?.status)).toEqual(ids.map(() => 'handed_over'));
      }, patiently);
      await expectEvenBooks();
    },
    TIMEOUT_MS,
  );

  it(
    'R10 R40 news that is cut out of the stream while fulfilment is away is published again, and heard',
    async () => {
      await shop.system.services.fulfilment.kill('SIGKILL');
      const ids = await Promise.all(customers.map((customer) => place(customer)));
      for (const id of ids) await shop.settled(id);
      await untilPublished(ids);
      await events.purge();
      expect(await events.read()).toEqual([]);
      await shop.system.services.fulfilment.start();
      await eventually(async () => {
        const deliveries = await Promise.all(ids.map((id) => after.delivery(id)));
        expect(deliveries.map((delivery) => delivery?.status)).toEqual(ids.map(() => 'handed_over'));
      }, patiently);
      await expectEvenBooks();
    },
    TIMEOUT_MS,
  );
});

/** A cancellation of an order that was confirmed tells no reason. */
const cancelledBodyOf = ({ tenant, orderId }: { tenant: string; orderId: string }) => ({ tenant, orderId });
