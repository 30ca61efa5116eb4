import { createWorkload, inParallel } from '@shop/system';
import { eventually } from '@shop/testing';
import { Client } from 'pg';
import { type Order, Shop } from './shop';

const TIMEOUT_MS = 120_000;
const CONCURRENCY = 16;
/** PostgreSQL reserves a few connections for its superusers. When these are taken too, the server is full for everybody. */
const FULL = /too many clients|remaining connection slots/;

describe('a database in trouble', () => {
  let shop: Shop;
  const workload = createWorkload({ orders: 60, seed: 11, skus: 20, declined: 0.1, outOfStock: 0.05, repeated: 0.1 });

  beforeAll(async () => {
    shop = await Shop.open(workload.products);
  }, TIMEOUT_MS);
  afterAll(() => shop?.close());

  it(
    'R45 without a free connection answers 503 and recovers by itself, and nothing is lost or doubled',
    async () => {
      const [early, late] = [workload.postings.slice(0, 30), workload.postings.slice(30)];
      const answers = new Map<string, string>();
      const post = async (posting: (typeof early)[number]) => {
        const { status, text } = await shop.post(posting);
        expect(status).toBe(201);
        expect(answers.get(posting.key) ?? text).toBe(text);
        answers.set(posting.key, text);
      };
      await inParallel(early, CONCURRENCY, post);

      const hoard = await takeEveryConnection(shop.system.stack.adminUrl);
      try {
        await eventually(async () => {
          // One that ended late has left its place, and with a single connection the service works.
          await takeEveryConnection(shop.system.stack.adminUrl, hoard);
          expect((await shop.order.get('/health/ready')).status).toBe(503);
        });
        const refused = await shop.order.post<Order>('/orders', late[0]!.body, 'while-full');
        expect([refused.status, refused.body.code]).toEqual([503, 'unavailable']);
        expect((await shop.order.get('/health/live')).status).toBe(200);
      } finally {
        await Promise.all(hoard.map((client) => client.end()));
      }

      await inParallel(late, CONCURRENCY, post);
      const ids = [...answers.values()].map((text) => (JSON.parse(text) as Order).id);
      await inParallel(ids, CONCURRENCY, async (id) => {
        await eventually(
          async () => expect(['confirmed', 'cancelled']).toContain((await shop.settled(id)).body.status),
          { timeoutMs: 60_000 },
        );
      });
      const books = await shop.books();
      expect(books.faults).toEqual([]);
      expect(books.orders).toBe(answers.size);
      await eventually(async () => expect((await shop.order.get('/health/ready')).status).toBe(200));
    },
    TIMEOUT_MS,
  );
});

describe('R44 sessions that are of no use any more', () => {
  let shop: Shop;
  const workload = createWorkload({ orders: 90, seed: 12, skus: 20, declined: 0.1, outOfStock: 0.05, repeated: 0.1 });
  const admins: Client[] = [];

  beforeAll(async () => {
    shop = await Shop.open(workload.products);
  }, TIMEOUT_MS);
  afterAll(async () => {
    await Promise.all(admins.map((admin) => admin.end()));
    await shop?.close();
  });

  const adminOf = async (name: 'order' | 'inventory') => {
    const admin = new Client({ connectionString: shop.system.stack.databaseUrl(name) });
    admins.push(admin);
    await admin.connect();
    return admin;
  };
  const settleAll = async (ids: Iterable<string>) => {
    await inParallel([...ids], CONCURRENCY, async (id) =>
      eventually(async () => expect(['confirmed', 'cancelled']).toContain((await shop.settled(id)).body.status), {
        timeoutMs: 60_000,
      }),
    );
    expect((await shop.books()).faults).toEqual([]);
  };

  it(
    'R46 a column that changes its type under load costs no request and puts no message away',
    async () => {
      const admin = await adminOf('inventory');
      const { sku } = workload.products[0]!;
      const ids = new Set<string>();
      let placed = 0;
      const changing = (async () => {
        for (const [round, type] of ['bigint', 'integer', 'bigint', 'integer'].entries()) {
          await eventually(() => expect(placed).toBeGreaterThan(12 * round), { timeoutMs: 30_000 });
          await admin.query(`alter table stock alter column version type ${type}`);
          expect((await shop.inventory.get(`/stock/${sku}`)).status).toBe(200);
        }
      })();
      await inParallel(workload.postings.slice(0, 60), CONCURRENCY, async (posting) => {
        ids.add((await shop.post(posting)).body.id);
        placed++;
      });
      await changing;
      await settleAll(ids);
      expect((await shop.inventory.get<{ items: unknown[] }>('/dead-letters')).body.items).toEqual([]);
    },
    TIMEOUT_MS,
  );

  it(
    'R44 sessions that could only read after a failover are left behind without a restart',
    async () => {
      const admin = await adminOf('order');
      const database = (await admin.query<{ name: string }>('select current_database() as name')).rows[0]!.name;
      const readOnly = (value: 'on' | 'off') =>
        admin.query(`alter database "${database}" set default_transaction_read_only = ${value}`);
      await readOnly('on');
      await admin.query(
        'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
      );
      const [first, ...others] = workload.postings.slice(60);
      await eventually(async () => {
        const { status, body } = await shop.order.post<Order>('/orders', first!.body, first!.key);
        expect([status, body.code]).toEqual([503, 'unavailable']);
      });
      await eventually(async () =>
        expect((await shop.orderManagement.get<{ checks: unknown }>('/health/ready')).body.checks).toMatchObject({
          database: 'only reads',
        }),
      );
      await readOnly('off');
      const ids = new Set<string>();
      await inParallel([first!, ...others], CONCURRENCY, async (posting) => {
        ids.add((await shop.post(posting)).body.id);
      });
      await settleAll(ids);
      await eventually(async () => expect((await shop.order.get('/health/ready')).status).toBe(200));
    },
    TIMEOUT_MS,
  );
});

/** Ends all other connections again and again, until all connections are ours. */
async function takeEveryConnection(adminUrl: string, hoard: Client[] = []): Promise<Client[]> {
  const connect = async (): Promise<boolean> => {
    const client = new Client({ connectionString: adminUrl });
    client.on('error', () => undefined);
    try {
      await client.connect();
      hoard.push(client);
      return true;
    } catch (error) {
      if (!FULL.test((error as Error).message)) throw error;
      return false;
    }
  };
  if (hoard.length === 0) await connect();
  const others = `select pg_terminate_backend(pid) from pg_stat_activity
    where backend_type = 'client backend' and application_name like 'shop-%'`;
  for (let round = 0; round < 50; round++) {
    const { rowCount } = await hoard[0]!.query(others);
    while (await connect());
    if (round > 0 && rowCount === 0) return hoard;
  }
  throw new Error('the services keep getting connections');
}
