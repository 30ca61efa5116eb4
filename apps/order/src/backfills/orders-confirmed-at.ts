/** The backfill that writes since when orders are confirmed, for those from before this was kept. */
import { type Backfill, defineBackfill } from '@shop/backfill';
import type { Database, Statement } from '@shop/postgres';

/** The key of the last order that was looked at. A type, because a checkpoint is plain JSON. */
type Place = { tenant: string; id: string };

/** Before every key. */
const BEGINNING: Place = { tenant: '', id: '00000000-0000-0000-0000-000000000000' };
/** A page is read and written within some milliseconds, and a request for an order of it waits no longer than that. */
const BATCH = 250;
const RATE_PER_SECOND = 1_000;

/**
 * Walks over the primary key, so that no index is needed that only this uses. It neither changes the version of an order
 * nor when it was changed: nobody has changed it.
 *
 * A replica of the release before writes no time with the orders that it confirms. So it is run when none is left.
 */
export function ordersConfirmedAt(database: Pick<Database, 'query'>): Backfill {
  return defineBackfill<Place>({
    name: 'orders-confirmed-at',
    title: 'since when the orders from before this was kept are confirmed',
    ratePerSecond: RATE_PER_SECOND,
    batch: BATCH,
    estimate: async () => (await database.query<{ rows: number }>(estimateRows))[0]!.rows,
    step: async (tx, cursor = BEGINNING, limit) => {
      const [page] = await tx.query<Place & { looked: number }>(fillPage, [cursor.tenant, cursor.id, limit]);
      const { looked, tenant, id } = page!;
      return { cursor: { tenant, id }, worked: looked, done: looked < limit };
    },
  });
}

const estimateRows: Statement = {
  name: 'orders.estimate',
  text: `select greatest(reltuples, 0)::bigint as rows from pg_class where oid = 'orders'::regclass`,
};

// The history of the saga tells when it was completed. An order whose saga somebody wanted to cancel by then went on to be
// cancelled, and never was confirmed. Rows are locked in the order of the key.
//
// The inner limit is a number that the planner knows. For one that it does not know, it takes a page to be a tenth of the
// table, and then reads the whole table, three times for each page. It is exported for the test of its plan.
export const fillPage: Statement = {
  name: 'orders.fill-confirmed-at',
  text: `
    with page as (
      select *
      from (
        select tenant, id, saga_id, status, confirmed_at, updated_at
        from orders where (tenant, id) > ($1::text, $2::uuid) order by tenant, id limit ${BATCH}
      ) as batch
      order by tenant, id limit $3
    ), known as (
      select p.tenant, p.id, case when s.cancel_requested then null else
        coalesce(
          (select h.at from saga_history h where h.saga_id = p.saga_id and h.to_position = 'completed' limit 1),
          case when p.status = 'confirmed' then p.updated_at end) end as at
      from page p left join saga s on s.id = p.saga_id
      where p.confirmed_at is null and p.status <> 'pending'
    ), locked as (
      select k.tenant, k.id, k.at
      from known k join orders o on o.tenant = k.tenant and o.id = k.id
      where k.at is not null
      order by o.tenant collate "C", o.id
      for update of o
    ), filled as (
      update orders o set confirmed_at = l.at
      from locked l
      where o.tenant = l.tenant and o.id = l.id and o.confirmed_at is null
    )
    select (select count(*)::int from page) as looked, coalesce(l.tenant, $1::text) as tenant, coalesce(l.id, $2::uuid) as id
    from (select) one left join lateral (select tenant, id from page order by tenant desc, id desc limit 1) l on true`,
};
