import { randomUUID } from 'node:crypto';
import { workOffBackfill } from '@shop/backfill/testing';
import { createLogger } from '@shop/observability';
import { createDatabase, type Database } from '@shop/postgres';
import { applyMigrations } from '@shop/postgres/testing';
import type { Neighbour } from '@shop/service';
import { ERASED } from '@shop/messaging';
import { createTestDatabase, eventually, useStack } from '@shop/testing';
import { fulfilmentMigrations } from '../migrations';
import { FollowUp } from '../orders/follow-up';
import { saveHeard } from '../orders/heard-orders.repository';
import type { ReadOrder } from '../orders/read-orders';
import { earlierOrders } from './earlier-orders';

useStack();

const LONG_AGO = '2020-01-01T00:00:00.000Z';
const LATER = '2999-01-01T00:00:00.000Z';

type Listed = ReadOrder & { tenant: string };

const orderOf = (tenant: string, more: Partial<Listed> = {}): Listed => ({
  tenant,
  id: randomUUID(),
  customerId: 'alice',
  placedBy: 'shop',
  status: 'confirmed',
  items: [{ sku: 'cup', quantity: 2 }],
  total: { amount: 1_299, currency: 'EUR' },
  confirmedAt: LONG_AGO,
  ...more,
});

let listed: Listed[];
let asked: string[];
let database: Database;
let wakes: number;
beforeEach(async () => {
  const { url } = await createTestDatabase((url) => applyMigrations(url, fulfilmentMigrations), {
    templateKey: 'earlier-orders',
  });
  database = createDatabase({ url, applicationName: 'test' });
  await database.connect();
  [listed, asked, wakes] = [[], [], 0];
});
afterEach(() => database.close());

/** The lists of the order service, as it pages them. */
const orderService = {
  async read({ tenant, path, fits }) {
    const { pathname, searchParams } = new URL(path, 'http://order');
    const [cursor, limit] = [searchParams.get('cursor') ?? '', Number(searchParams.get('limit'))];
    const status = searchParams.get('status');
    asked.push(`${tenant} ${pathname}`);
    const answer =
      pathname === '/tenants' ? tenantsBehind(cursor, limit) : ordersBehind({ tenant, status }, cursor, limit);
    if (!fits(answer as never)) throw new Error('the answer does not fit');
    return answer as never;
  },
} satisfies Pick<Neighbour, 'read'>;

function tenantsBehind(cursor: string, limit: number) {
  const tenants = [...new Set(listed.map(({ tenant }) => tenant))].sort().filter((tenant) => tenant > cursor);
  return { items: tenants.slice(0, limit).map((tenant) => ({ tenant })) };
}

function ordersBehind(list: { tenant: string; status: string | null }, cursor: string, limit: number) {
  const all = listed.filter(({ tenant, status }) => tenant === list.tenant && status === list.status);
  const rest = all.slice(cursor ? all.findIndex(({ id }) => id === cursor) + 1 : 0);
  return { items: rest.slice(0, limit), next: rest.length > limit ? rest[limit - 1]!.id : null };
}

const followUp = () => {
  const logger = createLogger({ service: 'test', level: 'silent', format: 'json' });
  return new FollowUp(database, orderService, logger);
};
const backfill = () => earlierOrders(orderService, { wake: () => void wakes++ });
const query = <Row>(text: string) => database.dataSource.query<Row[]>(text);

/** All effects, each with how often it is there. */
async function seeTo() {
  const following = followUp();
  await eventually(async () => expect(await following.seeToDue()).toBeGreaterThan(0));
  return {
    points: await query(
      'select kind, sum(points)::int as points, count(*)::int from point_entry group by kind order by kind',
    ),
    mails: await query('select template, status, count(*)::int from notification group by 1, 2 order by 1'),
    deliveries: await query('select status, count(*)::int from delivery group by 1 order by 1'),
  };
}

describe('R42 the orders of before fulfilment', () => {
  it('R42 get their points, no mail and no delivery of ours, those of all tenants, once', async () => {
    listed = [
      ...Array.from({ length: 120 }, () => orderOf('acme')),
      orderOf('bare', { status: 'cancelled' }),
      // From before the order service noted the time.
      ...Array.from({ length: 3 }, () => orderOf('zoo', { confirmedAt: undefined })),
    ];
    expect(await workOffBackfill(database, backfill())).toBe(124);
    expect(wakes).toBeGreaterThan(0);
    const effects = {
      points: [{ kind: 'earned', points: 12 * 123, count: 123 }],
      mails: [{ template: 'order-confirmed', status: 'suppressed', count: 123 }],
      deliveries: [{ status: 'elsewhere', count: 123 }],
    };
    expect(await seeTo()).toEqual(effects);
    expect(await workOffBackfill(database, backfill())).toBe(124);
    expect(await seeTo()).toEqual(effects);
    // Nothing that the lists have told is read a second time.
    expect(new Set(asked)).toEqual(new Set(['platform /tenants', 'acme /orders', 'bare /orders', 'zoo /orders']));
  });

  it('R42 include those whose event was lost since, which get everything', async () => {
    listed = [orderOf('acme', { confirmedAt: LATER })];
    await workOffBackfill(database, backfill());
    expect(await seeTo()).toEqual({
      points: [{ kind: 'earned', points: 12, count: 1 }],
      mails: [{ template: 'order-confirmed', status: 'queued', count: 1 }],
      deliveries: [{ status: 'waiting', count: 1 }],
    });
  });

  it('R42 lose their points when their cancellation was lost, and those that were never known get nothing', async () => {
    const [kept, cancelled] = [orderOf('acme'), orderOf('acme')];
    listed = [kept, cancelled];
    await workOffBackfill(database, backfill());
    await seeTo();
    Object.assign(cancelled, { status: 'cancelled' });
    listed.push(orderOf('acme', { status: 'cancelled' }));
    for (const times of [1, 2]) {
      await workOffBackfill(database, backfill());
      expect({ times, ...(await seeTo()) }).toEqual({
        times,
        points: [
          { kind: 'earned', points: 24, count: 2 },
          { kind: 'taken_back', points: -12, count: 1 },
        ],
        mails: [
          { template: 'order-cancelled', status: 'queued', count: 1 },
          { template: 'order-confirmed', status: 'suppressed', count: 2 },
        ],
        deliveries: [{ status: 'elsewhere', count: 2 }],
      });
    }
  });

  it('R42 give no points to somebody who is erased', async () => {
    listed = [orderOf('acme', { customerId: ERASED })];
    await workOffBackfill(database, backfill());
    expect(await seeTo()).toEqual({ points: [], mails: [], deliveries: [{ status: 'elsewhere', count: 1 }] });
  });

  it('R42 stay as they were heard, also when they are heard at the same moment', async () => {
    const [heard, other] = [orderOf('acme'), orderOf('acme')];
    listed = [heard, other];
    const { tenant, id: orderId, total } = heard;
    let commit: () => void = () => undefined;
    const hearing = database.transaction(async (tx) => {
      const order = { tenant, orderId, status: 'cancelled', wasConfirmed: true, earlier: false, ...total } as const;
      saveHeard(tx, [order], new Map());
      await tx.query({ name: 'test.flush', text: 'select 1' });
      await new Promise<void>((resolve) => (commit = resolve));
    });
    const working = workOffBackfill(database, backfill());
    // The step waits for the row of the other transaction.
    await eventually(async () => {
      const waiting = `select 1 from pg_stat_activity
                       where datname = current_database() and wait_event_type = 'Lock' and query like '%heard_order%'`;
      expect(await query(waiting)).toHaveLength(1);
    });
    commit();
    await Promise.all([hearing, working]);
    const rows = await query('select order_id, status, earlier from heard_order order by earlier');
    expect(rows).toEqual([
      { order_id: heard.id, status: 'cancelled', earlier: false },
      { order_id: other.id, status: 'confirmed', earlier: true },
    ]);
  });
});
