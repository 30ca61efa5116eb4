import { ApiClient, createWorkload, DEVELOPMENT_KEY, inParallel, type ServiceName } from '@shop/system';
import { eventually, startTcpProxy, type TcpProxy } from '@shop/testing';
import { type Order, Shop } from './shop';

const TIMEOUT_MS = 180_000;
const CONCURRENCY = 16;

/**
 * Connections to PostgreSQL that nobody closes and that bring nothing any more: a firewall has forgotten them, or the
 * host has died.
 */
describe('a database that has gone silent for one replica', () => {
  let shop: Shop;
  const proxies: TcpProxy[] = [];
  const workload = createWorkload({ orders: 120, seed: 14, skus: 20, declined: 0.1, outOfStock: 0.05, repeated: 0.1 });

  beforeAll(async () => {
    shop = await Shop.open(workload.products);
  }, TIMEOUT_MS);
  afterEach(async () => {
    proxies.forEach((proxy) => proxy.resume());
  });
  afterAll(async () => {
    await shop?.close();
    await Promise.all(proxies.map((proxy) => proxy.close()));
  });

  /** One more replica, whose way to its database can be made silent. */
  async function addReplica(name: Exclude<ServiceName, 'sandbox'>, { silent = false } = {}) {
    const url = new URL(shop.system.databaseRoles(name).everyday);
    const proxy = await startTcpProxy(url.hostname, Number(url.port));
    proxies.push(proxy);
    url.port = `${proxy.port}`;
    if (silent) proxy.stall();
    const replica = await shop.system.addReplica(name, {
      [`${name.toUpperCase()}_DATABASE_URL`]: url.href,
      STOP_GRACE_MS: '1000',
    });
    return {
      proxy,
      replica,
      client: new ApiClient(replica.url, DEVELOPMENT_KEY),
      management: new ApiClient(replica.managementUrl),
    };
  }

  const readiness = async (client: ApiClient) =>
    (await client.get<{ checks: Record<string, string> }>('/health/ready')).body.checks['database'];
  const linesOf = (service: ServiceName, message: string) =>
    shop.lines().filter((line) => line['service'] === service && line['event'] === message);

  it(
    'R11 the other replica does all the work, no order times out, and the books agree',
    async () => {
      const replicas = await Promise.all((['inventory', 'payment'] as const).map((name) => addReplica(name)));
      const [early, late] = [workload.postings.slice(0, 40), workload.postings.slice(40)];
      const ids = new Set<string>();
      const post = async (posting: (typeof early)[number]) => void ids.add((await shop.post(posting)).body.id);
      await inParallel(early, CONCURRENCY, post);
      replicas.forEach(({ proxy }) => proxy.stall());
      await inParallel(late, CONCURRENCY, post);
      const orders: Order[] = [];
      await inParallel([...ids], CONCURRENCY, async (id) => {
        await eventually(
          async () => {
            const { body } = await shop.settled(id);
            expect(['confirmed', 'cancelled']).toContain(body.status);
            orders.push(body);
          },
          { timeoutMs: 60_000 },
        );
      });
      expect(orders.filter(({ reason }) => reason === 'timed_out')).toEqual([]);
      for (const { management } of replicas)
        await eventually(async () => expect(await readiness(management)).toBe('does not answer'), {
          timeoutMs: 20_000,
        });
      expect((await shop.books()).faults).toEqual([]);
      replicas.forEach(({ proxy }) => proxy.resume());
      for (const { management } of replicas)
        await eventually(async () => expect(await readiness(management)).toBe('ok'), { timeoutMs: 20_000 });
    },
    TIMEOUT_MS,
  );

  it(
    'R44 a lone replica answers 503 with Retry-After, says so, is not ready, and heals by itself',
    async () => {
      const { proxy, client, management } = await addReplica('order');
      const body = {
        customerId: 'ada',
        items: [{ sku: workload.products[0]!.sku, quantity: 1 }],
        payment: { source: 'tok_ok' },
      };
      expect((await client.post('/orders', body, 'before')).status).toBe(201);
      proxy.stall();
      for (const key of ['first', 'second']) {
        const { status, headers, body: problem } = await client.post<Order>('/orders', body, key);
        expect([status, problem.code, headers.get('retry-after')]).toEqual([503, 'unavailable', '1']);
      }
      expect((await client.get('/orders?limit=1')).status).toBe(503);
      await eventually(async () => expect(await readiness(management)).toBe('does not answer'));
      expect((await client.get('/health/live')).status).toBe(200);
      expect(linesOf('order', 'database.silent')).not.toEqual([]);
      expect(linesOf('order', 'service.not_ready')).not.toEqual([]);
      proxy.resume();
      await eventually(async () => expect((await client.post('/orders', body, 'first')).status).toBe(201), {
        timeoutMs: 20_000,
      });
      await eventually(async () => expect(await readiness(management)).toBe('ok'));
    },
    TIMEOUT_MS,
  );

  it(
    'R53 a service that cannot reach its database at the start says so in one sentence',
    async () => {
      const reason = await addReplica('order', { silent: true }).then(
        () => 'started',
        ({ message }: Error) => message,
      );
      expect(reason).toMatch(/^order cannot start: the database cannot be reached \([^\n]*\)$/);
    },
    TIMEOUT_MS,
  );

  it(
    'R53 a replica whose database is silent ends in order when it is told to',
    async () => {
      const { proxy, replica, client } = await addReplica('order');
      proxy.stall();
      const asked = client.get('/orders?limit=1').then(
        ({ status }) => status,
        () => 'gone',
      );
      expect(await replica.stop()).toBe(0);
      expect(await asked).toBe(503);
    },
    TIMEOUT_MS,
  );
});
