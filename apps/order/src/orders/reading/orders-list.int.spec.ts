/** The plan of the list of orders. */
import { randomUUID } from 'node:crypto';
import { createDatabase, type Database } from '@shop/postgres';
import { useStack } from '@shop/testing';
import { createOrderTables } from '../../../testing/order-schema';
import { OrderEntity } from './order.entity';
import { OrdersListService, type OrdersPage } from './orders-list.service';

const stack = useStack({ migrate: createOrderTables });
let database: Database;
/** The plans for all orders and for the pending ones, made before the database knows anything about the table. */
let unknown: string[];

beforeAll(async () => {
  database = createDatabase({ url: stack.databaseUrl, applicationName: 'test', entities: [OrderEntity] });
  await database.connect();
  await database.dataSource.query(`
    insert into orders (tenant, id, customer_id, items, total_amount, total_currency, status, request_hash, saga_id,
                        placed_by)
    select 'acme', gen_random_uuid(), 'alice', '[]', 1, 'EUR', case when n <= 5 then 'pending' else 'confirmed' end, '',
           gen_random_uuid(), case when n % 2 = 0 then 'alice' end
    from generate_series(1, 2000) as n`);
  unknown = [await planOf({}), await planOf({ status: 'pending' })];
  await database.dataSource.query('analyze orders');
});
afterAll(() => database.close());
const list = () => new OrdersListService(database.dataSource.getRepository(OrderEntity));

describe('R33 the list of orders', () => {
  it.each(['pending', 'cancelling'] as const)(
    'finds those that are %s by the index of the open ones',
    async (status) => {
      expect(await planOf({ status })).toMatch(/Index Scan Backward using orders_open/);
      expect(await planOf({ status, before: randomUUID() })).toMatch(/Index Scan Backward using orders_open/);
    },
  );

  it('reads all others from the newest on, and no more than the page needs', async () => {
    expect(await planOf({})).toMatch(/Limit.*\n.*Index Scan Backward using orders_by_creation/);
    const next = await planOf({ status: 'confirmed', before: randomUUID() });
    expect(next).toMatch(/Index Scan Backward using orders_by_creation/);
    // The page begins at its place in the index.
    expect(next).toMatch(/Index Cond: .*ROW\(created_at, id\) < ROW/);
    expect(next).not.toMatch(/Sort/);
  });

  it('does not read all orders of the tenant in a database that is new', () => {
    for (const plan of unknown) expect(plan).toMatch(/Limit.*\n.*Index Scan Backward using orders_/);
  });

  it('leaves the look-ups by tenant and id to the primary key', async () => {
    // While a table has no statistics, the planner takes any index that begins with the tenant, and walks over its orders.
    const rows = await database.dataSource.query<{ index: string }[]>(`
      select i.indexrelid::regclass::text as index
      from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
      where i.indrelid = 'orders'::regclass and i.indpred is null and a.attname = 'tenant'`);
    expect(rows).toEqual([{ index: 'orders_pkey' }]);
    const plan = await database.dataSource.query<{ 'QUERY PLAN': string }[]>(
      'explain (generic_plan) select 1 from orders where tenant = $1 and id = $2 and placed_by = $3',
    );
    expect(plan.map((row) => row['QUERY PLAN']).join('\n')).toMatch(/using orders_pkey/);
  });

  it('reads those of one principal from the newest on, and no order of others', async () => {
    const own = await planOf({ placedBy: 'alice', status: 'confirmed', before: randomUUID() });
    expect(own).toMatch(/Index Scan Backward using orders_by_principal/);
    expect(own).toMatch(/Index Cond: .*placed_by .* = .*ROW\(created_at, id\) < ROW/);
    expect(own).not.toMatch(/Sort/);
    expect(await planOf({ placedBy: 'alice', status: 'pending' })).toMatch(/using orders_open/);
  });

  it('leaves out what an order does not have, and has money as numbers and times as text', async () => {
    const [order] = await list().list({ tenant: 'acme', placedBy: 'alice', status: 'pending', limit: 1 });
    const text = expect.any(String) as string;
    expect(JSON.parse(JSON.stringify(order))).toEqual({
      tenant: 'acme',
      placedBy: 'alice',
      id: text,
      customerId: 'alice',
      items: [],
      total: { amount: 1, currency: 'EUR' },
      status: 'pending',
      version: 1,
      createdAt: expect.stringMatching(/^\d{4}-.*Z$/) as string,
      updatedAt: expect.stringMatching(/^\d{4}-.*Z$/) as string,
      sagaId: text,
    });
  });
});

/** The plan for any values, as the connections of a service make it once for all values. */
async function planOf(page: Partial<OrdersPage>): Promise<string> {
  const [text] = list()
    .queryFor({ tenant: 'acme', limit: 51, ...page })
    .getQueryAndParameters();
  const rows = await database.dataSource.query<{ 'QUERY PLAN': string }[]>(`explain (generic_plan) ${text}`);
  return rows.map((row) => row['QUERY PLAN']).join('\n');
}
