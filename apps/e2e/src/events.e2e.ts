import { jetstreamManager, type JetStreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { natsLogin } from '@shop/stack';
import { createWorkload, inParallel } from '@shop/system';
import { eventually } from '@shop/testing';
import { type Order, Shop } from './shop';

const ORDERS = 120;
const CONCURRENCY = 16;
const TIMEOUT_MS = 180_000;

describe('events', () => {
  let shop: Shop;
  let nats: NatsConnection;
  let manager: JetStreamManager;
  const workload = createWorkload({ orders: ORDERS, seed: 11, skus: 20, declined: 0.1, outOfStock: 0.1, repeated: 0 });

  beforeAll(async () => {
    shop = await Shop.open(workload.products);
    nats = await connect({ ...natsLogin(shop.system.stack.natsUrl), maxReconnectAttempts: -1 });
    manager = await jetstreamManager(nats, { checkAPI: false });
  }, TIMEOUT_MS);

  afterAll(async () => {
    await nats?.close();
    await shop?.close();
  });

  /** All events of orders that are in the stream now, each once. */
  const streamed = async (): Promise<Set<string>> => {
    const { state } = await manager.streams.info('EVENTS');
    const types = new Set<string>();
    for (let seq = state.first_seq; seq > 0 && seq <= state.last_seq; seq++) {
      const message = await manager.streams.getMessage('EVENTS', { seq });
      const events = message!.json<{ type: string; data: { orderId: string } }[]>();
      for (const { type, data } of events) if (type.startsWith('order.')) types.add(`${data.orderId} ${type}`);
    }
    return types;
  };

  it(
    'R41 of every settled order are in the stream after the broker lost its store and the order service was killed',
    async () => {
      const placed: string[] = [];
      const faults = async (done: number) => {
        if (done === ORDERS / 3) await shop.system.stack.wipeNats();
        if (done === (2 * ORDERS) / 3) {
          await shop.system.services.order.kill('SIGKILL');
          await shop.system.services.order.start();
        }
      };
      await inParallel(workload.postings, CONCURRENCY, async (posting) => {
        const { body, status } = await shop.post(posting);
        expect(status).toBe(201);
        placed.push(body.id);
        await faults(placed.length);
      });
      const expected = await eventually(
        async () => {
          const orders = await Promise.all(placed.map((id) => shop.order.get<Order>(`/orders/${id}`)));
          expect(orders.filter(({ body }) => !/^(confirmed|cancelled)$/.test(body.status))).toEqual([]);
          return new Set(orders.map(({ body }) => `${body.id} order.${body.status}.v1`));
        },
        { timeoutMs: 90_000, intervalMs: 500 },
      );
      // Now all events are in the stream. After the wipe, only the outbox still has them.
      await eventually(async () => expect(await streamed()).toEqual(expected), { timeoutMs: 30_000 });
      await shop.system.stack.wipeNats();
      await eventually(async () => expect(await streamed()).toEqual(expected), { timeoutMs: 30_000 });
    },
    TIMEOUT_MS,
  );
});
