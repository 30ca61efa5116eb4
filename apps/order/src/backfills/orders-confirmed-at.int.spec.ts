/** The backfill over a table of orders that is being worked with. */
import { workOffBackfill } from '@shop/backfill/testing';
import { createDatabase, type Database } from '@shop/postgres';
import { useStack } from '@shop/testing';
import { createOrderTables } from '../../testing/order-schema';
import { startCancelling } from '../orders/orders.repository';
import { fillPage, ordersConfirmedAt } from './orders-confirmed-at';

const stack = useStack({ migrate: createOrderTables });
const CONFIRMED = '2025-05-01T12:00:00.000Z';
const CHANGED = '2025-06-01T12:00:00.000Z';
let database: Database;

beforeAll(async () => {
  database = createDatabase({ url: stack.databaseUrl, applicationName: 'test' });
  await database.connect();
});
beforeEach(() => database.dataSource.query('truncate orders, saga, saga_history'));
afterAll(() => database.close());

interface Row {
  at: string | null;
  version: number;
  updated: string;
}

interface Earlier {
  tenant?: string;
  status?: string;
  /** Whether the history of its saga is there. */
  told?: boolean;
  cancelRequested?: boolean;
  confirmedAt?: string;
}

/** Orders as an earlier release left them, each with the saga that placed it. */
async function orders(count: number, earlier: Earlier = {}): Promise<string[]> {
  const { tenant = 'acme', status = 'confirmed', told = true, cancelRequested = false, confirmedAt } = earlier;
  const rows = await database.dataSource.query<{ id: string }[]>(
    `with made as (
       insert into orders (tenant, id, customer_id, items, total_amount, total_currency, status, request_hash, saga_id,
                           updated_at, confirmed_at)
       select $1, gen_random_uuid(), 'alice', '[]', 1, 'EUR', $2, '', gen_random_uuid(), $3, $4
       from generate_series(1, $5::int) returning id, saga_id
     ), sagas as (
       insert into saga (id, definition, definition_version, status, step, action, attempt, data, traceparent, version,
                         cancel_requested)
       select saga_id, 'place-order', 1, 'completed', 'confirm', 'do', 1, '{}', '', 4, $6 from made
     ), histories as (
       insert into saga_history (saga_id, seq, at, event, step, from_position, to_position, attempt)
       select saga_id, seq, $7::timestamptz + seq * interval '1 second', 'do.succeeded', 'confirm', 'confirm.do',
              case seq when 4 then $8 else 'confirm.do' end, 1
       from made cross join generate_series(1, 4) as seq where $9
     )
     select id from made`,
    [tenant, status, CHANGED, confirmedAt, count, cancelRequested, CONFIRMED, 'completed', told],
  );
  return rows.map(({ id }) => id);
}

const run = () => workOffBackfill(database, ordersConfirmedAt(database));

async function seen(ids: readonly string[]): Promise<Row[]> {
  const rows = await database.dataSource.query<{ at: Date | null; version: number; updated: Date }[]>(
    'select confirmed_at as at, version, updated_at as updated from orders where id = any($1)',
    [ids],
  );
  return rows.map(({ at, version, updated }) => ({
    at: at?.toISOString() ?? null,
    version,
    updated: updated.toISOString(),
  }));
}

const timesOf = async (ids: readonly string[]) => [...new Set((await seen(ids)).map(({ at }) => at))];

describe('R42 the backfill orders-confirmed-at', () => {
  it('writes for each order of each tenant when its saga was completed, over many pages', async () => {
    const ids = [
      ...(await orders(700)),
      ...(await orders(3, { tenant: 'rival' })),
      ...(await orders(1, { tenant: 'zebra' })),
    ];
    expect(await run()).toBe(704);
    expect(await seen(ids)).toEqual(
      Array<Row>(704).fill({ at: '2025-05-01T12:00:04.000Z', version: 1, updated: CHANGED }),
    );
    expect(await timesOf(ids)).toHaveLength(1);
  });

  it('changes nothing that is known already, and nothing when it runs again', async () => {
    const known = await orders(2, { confirmedAt: '2026-01-01T00:00:00.000Z' });
    const unknown = await orders(2);
    await run();
    await database.dataSource.query(`update saga_history set at = now()`);
    expect(await run()).toBe(4);
    expect(await timesOf(known)).toEqual(['2026-01-01T00:00:00.000Z']);
    expect(await timesOf(unknown)).toEqual(['2025-05-01T12:00:04.000Z']);
  });

  it.each<[string, Earlier, string | null]>([
    ['is confirmed, and whose history is lost: the time of its last change', { told: false }, CHANGED],
    ['was confirmed and cancelled later', { status: 'cancelled' }, '2025-05-01T12:00:04.000Z'],
    ['was confirmed and is being cancelled', { status: 'cancelling' }, '2025-05-01T12:00:04.000Z'],
    ['was cancelled before it was confirmed', { status: 'cancelled', told: false }, null],
    ['was to be cancelled when its saga ended', { status: 'cancelled', cancelRequested: true }, null],
    ['is still open', { status: 'pending' }, null],
  ])('knows of an order that %s', async (_, earlier, expected) => {
    const ids = await orders(3, earlier);
    expect(await run()).toBe(3);
    expect(await timesOf(ids)).toEqual([expected]);
  });

  it('ends at once where there are no orders', async () => {
    expect(await run()).toBe(0);
  });

  it('finds each page and what belongs to it by the indexes, however many orders there are', async () => {
    for (let times = 0; times < 5; times++) await orders(2_000, { told: false });
    await database.dataSource.query('analyze orders, saga, saga_history');
    // The plan for any limit, as a connection of the service makes it once.
    const rows = await database.dataSource.query<{ 'QUERY PLAN': string }[]>(`explain (generic_plan) ${fillPage.text}`);
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
    expect(plan).not.toMatch(/Seq Scan on (orders|saga)/);
    expect(plan.match(/Index Scan using orders_pkey/g)).toHaveLength(3);
    expect(plan).toMatch(/Index Scan using saga_pkey/);
  });

  it('loses no change of an order that is made at the same time, and makes no deadlock', async () => {
    const ids = await orders(600);
    const cancel = (id: string) =>
      database.transaction((tx) => startCancelling(tx, { tenant: 'acme', id }, 'cancelled_by_client', id));
    // No more at once than there are connections: on a busy machine the others would wait too long for one.
    const left = [...ids];
    const cancelling = Array.from({ length: 8 }, async () => {
      for (let id = left.pop(); id !== undefined; id = left.pop()) await cancel(id);
    });
    const [worked] = await Promise.all([run(), ...cancelling]);
    expect(worked).toBe(600);
    const rows = await database.dataSource.query<{ n: number }[]>(
      `select count(*)::int as n from orders where status = 'cancelling' and version = 2 and confirmed_at is not null`,
    );
    expect(rows[0]!.n).toBe(600);
  });
});
