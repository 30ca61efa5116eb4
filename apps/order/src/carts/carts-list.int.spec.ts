/** The plan of the list of carts, as the connections of a service make it once for all values. */
import { createDatabase, type Database } from '@shop/postgres';
import { useStack } from '@shop/testing';
import { createOrderTables } from '../../testing/order-schema';
import { Cart, CartPromotion } from './cart.entity';
import { type CartsPage, CartsService } from './carts.service';

const stack = useStack({ migrate: createOrderTables });
let database: Database;

beforeAll(async () => {
  const entities = [Cart, CartPromotion];
  database = createDatabase({ url: stack.databaseUrl, applicationName: 'test', entities });
  await database.connect();
  await database.dataSource.query(`
    insert into cart (tenant, id, placed_by, customer_id, items, deleted_at)
    select 'acme', 'cart-' || n, case when n % 100 = 0 then 'alice' else 'bob' end, 'alice', '[]',
           case when n % 2 = 0 then now() end
    from generate_series(1, 2000) as n`);
});
afterAll(() => database.close());

const repository = <T extends object>(type: new () => T) => database.dataSource.getRepository(type);

async function planOf(page: Partial<CartsPage>): Promise<string> {
  const carts = new CartsService(repository(Cart), repository(CartPromotion), database);
  const [text] = carts.queryFor({ tenant: 'acme', limit: 51, ...page }).getQueryAndParameters();
  const rows = await database.dataSource.query<{ 'QUERY PLAN': string }[]>(`explain (generic_plan) ${text}`);
  return rows.map((row) => row['QUERY PLAN']).join('\n');
}

describe('R33 the list of carts', () => {
  it('reads those of one principal, or of all, from the newest on, and begins at its place', async () => {
    for (const analyzed of [false, true]) {
      if (analyzed) await database.dataSource.query('analyze cart');
      expect(await planOf({})).toMatch(/Limit.*\n.*Index Scan Backward using cart_by_creation/);
      const own = await planOf({ placedBy: 'alice', before: 'cart-7' });
      expect(own).toMatch(/Index Scan Backward using cart_by_principal/);
      expect(own).toMatch(/Index Cond: .*placed_by .* = .*ROW\(created_at, id\) < ROW/);
      expect(own).not.toMatch(/Sort/);
    }
  });

  it('leaves the look-ups by tenant and id to the primary key', async () => {
    const plan = await database.dataSource.query<{ 'QUERY PLAN': string }[]>(
      'explain (generic_plan) select 1 from cart where tenant = $1 and id = $2 and deleted_at is null',
    );
    expect(plan.map((row) => row['QUERY PLAN']).join('\n')).toMatch(/using cart_pkey/);
  });
});
