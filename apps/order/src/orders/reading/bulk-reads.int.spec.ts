/** What services that work through orders read: many orders by their ids, and the tenants that have some. */
import { randomUUID } from 'node:crypto';
import { doorKeys } from '@shop/service/testing';
import { useStack } from '@shop/testing';
import { createOrderTables } from '../../../testing/order-schema';
import { expectProblem, OrderApp } from '../../../testing/order-app';
import { selectTenants } from './tenants.service';

const stack = useStack({ migrate: createOrderTables });
const { customer, operator, platform, root, service } = doorKeys.callers;
let app: OrderApp;

beforeAll(async () => {
  app = await OrderApp.start(
    { databaseUrl: stack.databaseUrl, natsUrl: stack.natsUrl },
    { API_KEYS: doorKeys.API_KEYS },
  );
});
afterAll(() => app.close());

interface Listed {
  items: { id: string; status: string; placedBy?: string; tenant?: string }[];
  next: string | null;
}

async function insert(tenant: string, count: number, { status = 'confirmed', placedBy = 'carl' } = {}) {
  const rows = await app.query<{ id: string }>(
    `insert into orders (tenant, id, customer_id, items, total_amount, total_currency, status, request_hash, saga_id,
                         placed_by)
     select $1, gen_random_uuid(), 'alice', '[]', 1, 'EUR', $2, '', gen_random_uuid(), $3
     from generate_series(1, $4::int) returning id`,
    [tenant, status, placedBy, count],
  );
  return rows.map(({ id }) => id);
}

const of = (tenant: string) => ({ key: service, headers: { 'shop-tenant': tenant } });

async function list(url: string, call: { key: string; headers?: Record<string, string> }): Promise<Listed> {
  const answer = await app.get(url, call);
  expect(answer.statusCode).toBe(200);
  return answer.json<Listed>();
}

describe('orders by their ids', () => {
  it('are those of the tenant, on one page, and without those that are not there', async () => {
    const [ours, theirs] = [await insert('acme', 100), await insert('rival', 1)];
    const all = await list(`/orders?ids=${ours.join()}&limit=1`, of('acme'));
    expect([all.items.map(({ id }) => id), all.next]).toEqual([ours.toSorted(), null]);
    const asked = [ours[7], theirs[0], randomUUID(), ours[7]!.toUpperCase()].join();
    expect((await list(`/orders?ids=${asked}`, of('acme'))).items.map(({ id }) => id)).toEqual([ours[7]]);
    expect((await list(`/orders?ids=${asked}`, of('rival'))).items.map(({ id }) => id)).toEqual(theirs);
  });

  it('R54 are for a customer its own, and tell operators alone who has placed them', async () => {
    const [mine, others] = [await insert('acme', 1), await insert('acme', 1, { placedBy: 'bob' })];
    const asked = `/orders?ids=${[...mine, ...others].join()}`;
    const own = await list(asked, { key: customer });
    expect(own.items.map(({ id, placedBy }) => [id, placedBy])).toEqual([[mine[0], undefined]]);
    const all = await list(asked, { key: operator });
    expect(new Map(all.items.map(({ id, placedBy }) => [id, placedBy]))).toEqual(
      new Map([
        [mine[0], 'carl'],
        [others[0], 'bob'],
      ]),
    );
  });

  it('are only those of one status when that is asked for', async () => {
    const [done, open] = [await insert('acme', 1), await insert('acme', 1, { status: 'cancelled' })];
    const answer = await list(`/orders?ids=${[...done, ...open].join()}&status=confirmed`, of('acme'));
    expect(answer.items.map(({ id }) => id)).toEqual(done);
  });

  it.each([
    ['nothing', ''],
    ['no UUID', '7'],
    ['an end without an id', `${randomUUID()},`],
    ['more than a hundred', Array.from({ length: 101 }, () => randomUUID()).join()],
  ])('R29 are refused: %s', async (_, ids) => {
    expectProblem(await app.get(`/orders?ids=${ids}`, { key: operator }), 400, 'validation_failed');
  });
});

describe('the tenants that have orders', () => {
  it('are told page by page, each once, to services and to those who look after the platform', async () => {
    for (const tenant of ['gamma', 'alpha', 'beta', 'alpha']) await insert(tenant, 3);
    await insert('acme', 1);
    const all = (await app.query<{ tenant: string }>('select distinct tenant from orders order by 1')).map(
      ({ tenant }) => tenant,
    );
    expect(all).toEqual(expect.arrayContaining(['acme', 'alpha', 'beta', 'gamma']));
    for (const call of [of('nobody'), { key: platform }, { key: root }]) {
      const found: string[] = [];
      for (let next: string | null = ''; next !== null;) {
        const page: Listed = await list(`/tenants?limit=2${next && `&cursor=${next}`}`, call);
        found.push(...page.items.map(({ tenant }) => tenant!));
        next = page.next;
      }
      expect(found).toEqual(all);
    }
  });

  it('R54 are its own for an operator, and nothing for a customer', async () => {
    await insert('acme', 1);
    expect((await list('/tenants', { key: operator })).items).toEqual([{ tenant: 'acme' }]);
    expect((await list('/tenants?cursor=acme', { key: operator })).items).toEqual([]);
    expectProblem(await app.get('/tenants', { key: customer }), 403, 'forbidden');
  });

  it('are found without a look at all their orders', async () => {
    await insert('acme', 3_000);
    await app.query('vacuum analyze orders');
    const plan = await app.query<{ 'QUERY PLAN': string }>(
      `explain (analyze, costs off, timing off) ${selectTenants.text.replace('$1', `''`).replace('$2', '200')}`,
    );
    const text = plan.map((row) => row['QUERY PLAN']).join('\n');
    expect(text).not.toMatch(/Seq Scan|Sort/);
    // One row a step.
    const scans = [...text.matchAll(/Index Only Scan using orders_pkey .*rows=(\d+(?:\.\d+)?)/g)].map((found) =>
      Number(found[1]),
    );
    expect(scans.length).toBeGreaterThan(0);
    expect(Math.max(...scans)).toBeLessThanOrEqual(1);
  });
});
