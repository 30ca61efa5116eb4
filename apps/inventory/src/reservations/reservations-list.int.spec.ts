/** The plans of what reads many reservations: the lists, the timer, and the checks. */
import { randomUUID } from 'node:crypto';
import { createDatabase, type Database } from '@shop/postgres';
import { applyMigrations } from '@shop/postgres/testing';
import { useStack } from '@shop/testing';
import { inventoryMigrations } from '../migrations';
import { ReservationEntity } from './reservation.entity';
import { queryReservations, type ReservationsPage } from './reservations-list';

const stack = useStack({ migrate: (url) => applyMigrations(url, inventoryMigrations) });
let database: Database;
/** The plans of two lists, made before the database knows anything about the table. */
let unknown: string[];

beforeAll(async () => {
  database = createDatabase({ url: stack.databaseUrl, applicationName: 'test', entities: [ReservationEntity] });
  await database.connect();
  unknown = [await planOf({}), await planOf({ placedBy: 'carl' })];
  await database.dataSource.query(`
    insert into reservation (tenant, id, lines, status, placed_by, expires_at)
    select 'acme', gen_random_uuid(), '[]', case when n <= 20 then 'open' else 'confirmed' end,
           case when n % 10 = 0 then 'carl' end, now()
    from generate_series(1, 5000) as n`);
  await database.dataSource.query('analyze reservation');
});
afterAll(() => database.close());

describe('R33 the list of reservations', () => {
  it('begins at its place in the index, and reads no more than the page needs', async () => {
    const all = await planOf({ before: randomUUID() });
    expect(all).toMatch(/Index Scan Backward using reservation_list/);
    expect(all).toMatch(/Index Cond: .*ROW\(created_at, id\) < ROW/);
    expect(all).not.toMatch(/Sort/);
  });

  it('reads those of one principal, and none of sagas', async () => {
    const own = await planOf({ placedBy: 'carl', status: 'open', before: randomUUID() });
    expect(own).toMatch(/Index Scan Backward using reservation_by_principal/);
    expect(own).toMatch(/Index Cond: .*placed_by .* = .*ROW\(created_at, id\) < ROW/);
    expect(own).not.toMatch(/Sort/);
  });

  it('does not sort all reservations of the tenant in a database that is new', () => {
    for (const plan of unknown) expect(plan).toMatch(/Limit.*\n.*Index Scan Backward using reservation_/);
  });
});

describe('the open reservations', () => {
  it.each([
    `select tenant, id from reservation where status = 'open' and expires_at <= now() order by expires_at limit $1`,
    `select min(expires_at) from reservation where status = 'open'`,
    `select id from reservation r where r.tenant || '' = $1 and r.status = 'open'`,
  ])('are found by their index: %s', async (text) => {
    expect(await explain(text)).toMatch(/Index (Only )?Scan using reservation_expiry/);
  });
});

/** The plan for any values, as the connections of a service make it once for all values. */
function planOf(page: Partial<ReservationsPage>): Promise<string> {
  const repository = database.dataSource.getRepository(ReservationEntity);
  const [text] = queryReservations(repository, { tenant: 'acme', limit: 51, ...page }).getQueryAndParameters();
  return explain(text);
}

async function explain(text: string): Promise<string> {
  const rows = await database.dataSource.query<{ 'QUERY PLAN': string }[]>(`explain (generic_plan) ${text}`);
  return rows.map((row) => row['QUERY PLAN']).join('\n');
}
