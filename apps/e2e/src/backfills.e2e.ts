/** The past is worked through by `npm run backfill` while its worker is killed again and again: each row once. */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ApiClient, DEVELOPMENT_KEY, inParallel, seed, type ServiceProcess } from '@shop/system';
import { eventually, seededRandom } from '@shop/testing';
import { AfterOrder, type Delivery, type Notification } from './after-order';
import { OrderEvents } from './order-events';
import { type Order, Shop } from './shop';
import { queryIn } from './tables';

const START = join(__dirname, '../../../tools/start.cjs');
const NAME = 'orders-before-fulfilment';
const OLD_ORDERS = 240;
const NEW_ORDERS = 20;
const CUSTOMERS = 12;
const WIDTH = 16;
const KILLS = 10;
/** So slow that it does not end before it was killed so often. */
const RATE = 1;
const FAST = 1_000;
const MAX_PAUSE_MS = 1_500;
const TIMEOUT_MS = 300_000;
const patiently = { timeoutMs: 120_000, intervalMs: 250 };
const PRODUCT = { sku: 'cup', name: 'Espresso cup', price: 1_200, onHand: 100_000 };
const NEIGHBOUR_KEY = 'neighbour-key';
const ROLES = 'customer+operator+admin+platform';
/** BACKFILL_SEED repeats a run. */
const SEED = Number(process.env['BACKFILL_SEED'] ?? Date.now() % 100_000);

interface Backfill {
  name: string;
  status: string;
  worked: number;
}

describe('R42 a backfill', () => {
  let shop: Shop;
  let after: AfterOrder;
  const customers = Array.from({ length: CUSTOMERS }, (_, n) => `customer-${n}`);
  let old: string[];

  beforeAll(async () => {
    const keys = `${DEVELOPMENT_KEY}=demo/developer:${ROLES},${NEIGHBOUR_KEY}=neighbour/nora:${ROLES}`;
    shop = await Shop.open([PRODUCT], { env: { API_KEYS: keys } });
    after = new AfterOrder(shop);
    const { urls } = shop.system;
    await seed(new ApiClient(urls.order, NEIGHBOUR_KEY), new ApiClient(urls.inventory, NEIGHBOUR_KEY), [PRODUCT]);
    for (const customer of customers) await after.introduce(customer);
    await shop.system.services.fulfilment.stop();
    old = [];
    await inParallel([...Array(OLD_ORDERS).keys()], WIDTH, async (n) => void old.push(await confirmed(n)));
    await forget();
    await shop.system.services.fulfilment.start();
  }, TIMEOUT_MS);
  afterAll(() => shop?.close(), TIMEOUT_MS);

  /** Every fourth is an order of another tenant. */
  async function confirmed(n: number): Promise<string> {
    const client = n % 4 === 3 ? new ApiClient(shop.system.urls.order, NEIGHBOUR_KEY) : shop.order;
    const items = [{ sku: PRODUCT.sku, quantity: 1 }];
    const body = { customerId: customers[n % CUSTOMERS]!, items, payment: { source: 'tok_ok' } };
    const { id } = (await client.post<Order>('/orders', body, randomUUID())).body;
    await eventually(async () => {
      expect((await client.get<Order>(`/orders/${id}`, { prefer: 'wait=30' })).body.status).toBe('confirmed');
    }, patiently);
    return id;
  }

  /** As if it were days later: neither the stream nor the outbox has the events any more. */
  async function forget(): Promise<void> {
    const events = await OrderEvents.open(shop.system.stack.natsUrl);
    await eventually(async () => {
      const known = new Set((await events.read()).map(({ data }) => data.orderId));
      expect(old.filter((id) => !known.has(id))).toEqual([]);
    }, patiently);
    await queryIn(shop, 'order', 'delete from outbox_batch');
    await queryIn(shop, 'order', 'delete from outbox');
    await events.purge();
    await events.close();
    // And fulfilment came afterwards.
    await queryIn(shop, 'fulfilment', 'update birth set at = now()');
  }

  /** `npm run backfill`, as an operator types it. */
  async function backfill(...words: string[]): Promise<{ text: string; code: number }> {
    const env = shop.operatorsEnvironment();
    return promisify(execFile)(process.execPath, [START, 'backfill', ...words], { env }).then(
      ({ stdout, stderr }) => ({ text: stdout + stderr, code: 0 }),
      (error: { stdout: string; stderr: string; code: number }) => ({
        text: error.stdout + error.stderr,
        code: error.code,
      }),
    );
  }

  const found = async (): Promise<Backfill> => (await shop.fulfilment.get<Backfill>(`/backfills/${NAME}`)).body;

  async function killAtRandom(replicas: readonly ServiceProcess[]): Promise<void> {
    const random = seededRandom(SEED);
    for (let kills = 0; kills < KILLS; kills++) {
      await new Promise((resolve) => setTimeout(resolve, random.int(MAX_PAUSE_MS)));
      const victim = replicas[kills % replicas.length]!;
      await victim.kill('SIGKILL');
      await victim.start();
    }
  }

  it(
    'R42 is listed, and is not begun before somebody says so',
    async () => {
      expect(await backfill('list')).toMatchObject({ text: expect.stringContaining(NAME), code: 0 });
      expect(await found()).toMatchObject({ status: 'idle', worked: 0 });
      const unknown = await backfill('run', 'no-such-backfill');
      expect([unknown.code === 0, unknown.text.trim().split('\n').length]).toEqual([false, 1]);
    },
    TIMEOUT_MS,
  );

  it(
    `R42 that is killed ${KILLS} times works on each row once, while new orders come (BACKFILL_SEED=${SEED})`,
    async () => {
      const replicas = [shop.system.services.fulfilment, await shop.system.addReplica('fulfilment')];
      // The command may end by an error when the service that it asks is killed; the work goes on without it.
      const running = backfill('run', NAME, '--rate', String(RATE));
      await eventually(async () => expect((await found()).worked).toBeGreaterThan(0), patiently);
      const recent: string[] = [];
      const ordering = inParallel(
        [...Array(NEW_ORDERS).keys()],
        2,
        async (n) => void recent.push(await confirmed(4 * n)),
      );
      await killAtRandom(replicas);
      await ordering;
      expect(await found()).toMatchObject({ status: 'running' });
      expect((await backfill('pause', NAME)).code).toBe(0);
      const paused = await eventually(async () => {
        const now = await found();
        expect(now.status).toBe('paused');
        return now;
      }, patiently);
      expect((await backfill('status', NAME)).text).toMatch(/paused/);
      expect((await found()).worked).toBe(paused.worked);
      // The command has watched it until somebody paused it, or until the service that it asked was killed.
      await running;
      expect((await backfill('run', NAME, '--rate', String(FAST))).text).toMatch(/done/i);
      expect(await found()).toMatchObject({ status: 'done' });
      await expectEachOnce(recent);
      await expectDoneOnlyOnce();
    },
    TIMEOUT_MS,
  );

  async function expectEachOnce(recent: readonly string[]): Promise<void> {
    const entries = await queryIn<{ order_id: string; count: number }>(
      shop,
      'fulfilment',
      'select order_id, count(*)::integer as count from point_entry group by order_id',
    );
    expect(entries.map(({ order_id }) => order_id).sort()).toEqual([...old, ...recent].sort());
    expect(entries.filter(({ count }) => count !== 1)).toEqual([]);

    const ours = old.filter((_, n) => n % 4 !== 3);
    expect(ours.length).toBeLessThan(old.length);
    const deliveries = await shop.fulfilment.all<Delivery>('/deliveries');
    const elsewhere = deliveries.filter(({ status }) => status === 'elsewhere');
    expect(elsewhere.every(({ orderId }) => old.includes(orderId))).toBe(true);
    const notifications = await shop.fulfilment.all<Notification>('/notifications');
    const suppressed = notifications.filter(({ orderId }) => old.includes(orderId));
    expect([...new Set(suppressed.map(({ status }) => status))]).toEqual(['suppressed']);
    // What is new is delivered and told.
    expect((await shop.books()).faults).toEqual([]);
    expect(await after.shipments()).toHaveLength(NEW_ORDERS);
    expect(await after.mails()).toHaveLength(NEW_ORDERS);
  }

  /** Unless it is asked for once more, in which case it finds nothing to do. */
  async function expectDoneOnlyOnce(): Promise<void> {
    const refused = await backfill('run', NAME);
    expect(refused.code).not.toBe(0);
    const again = await backfill('run', NAME, '--again', '--rate', String(FAST));
    expect(again.text).toMatch(/done/i);
    expect(await after.shipments()).toHaveLength(NEW_ORDERS);
    expect((await shop.books()).faults).toEqual([]);
  }

  it(
    'R42 of a hot table writes when each order was confirmed',
    async () => {
      const missing = 'select count(*)::integer as count from orders where confirmed_at is null';
      const [kept] = await queryIn<{ count: number }>(shop, 'order', missing);
      expect(kept!.count).toBe(0);
      await queryIn(shop, 'order', 'update orders set confirmed_at = null');
      const { text, code } = await backfill('run', 'orders-confirmed-at', '--rate', String(FAST));
      expect([code, text]).toEqual([0, expect.stringMatching(/done/i)]);
      const [left] = await queryIn<{ count: number }>(shop, 'order', missing);
      expect(left!.count).toBe(0);
    },
    TIMEOUT_MS,
  );
});
