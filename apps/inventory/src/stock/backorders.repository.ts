/** The queues of reservations that wait for pieces. That of a SKU is guarded by the lock of the row of its stock. */
import { type Database, rowsOf, type Statement, type Tx } from '@shop/postgres';
import type { Backorders, QueueEntry } from './backorders';
import type { OwnedSku } from './pieces';

interface EntryRow {
  tenant: string;
  sku: string;
  position: number;
  reservation_id: string;
  quantity: number;
}

/** The first entries of the queue of a SKU. Only behind the lock of its stock they stay as they are. */
export async function readQueue(tx: Tx, { tenant, sku }: OwnedSku, limit: number): Promise<QueueEntry[]> {
  const rows = await tx.query<EntryRow>(selectQueue, [tenant, sku, limit]);
  return rows.map(({ reservation_id, ...entry }) => ({ ...entry, reservationId: reservation_id }));
}

/** Some SKUs for which somebody waits, and of which pieces have come. */
export function findFillable(database: Database, limit: number): Promise<OwnedSku[]> {
  return database.query<OwnedSku>(selectFillable, [limit]);
}

export function saveBackorders(tx: Tx, { joined, handedOver, filled, left }: Backorders): void {
  if (joined.length > 0) {
    const rows = joined.map(({ tenant, sku, reservationId, quantity }, rank) => ({
      tenant,
      sku,
      reservation_id: reservationId,
      quantity,
      rank,
    }));
    tx.send(insertEntries, [rowsOf(rows)]);
  }
  if (handedOver.length > 0)
    tx.send(handEntriesOver, [
      handedOver.map(({ tenant }) => tenant),
      handedOver.map(({ reservationId }) => reservationId),
      handedOver.map(({ to }) => to),
    ]);
  const done = filled.filter((entry) => entry.left === 0);
  const rest = filled.filter((entry) => entry.left > 0);
  if (rest.length > 0) tx.send(shortenEntries, [rowsOf(rest.map((entry) => ({ ...entry })))]);
  if (done.length > 0) tx.send(deleteEntries, [rowsOf(done.map((entry) => ({ ...entry })))]);
  if (left.length > 0)
    tx.send(leaveQueues, [left.map(({ tenant }) => tenant), left.map(({ reservationId }) => reservationId)]);
}

const selectQueue: Statement = {
  name: 'backorder.select-queue',
  text: `
    select tenant, sku, position, reservation_id, quantity from backorder
    where tenant = $1 and sku = $2 order by position limit $3`,
};

// Goes from queue to queue in the primary key, so that a long one costs one step. It begins without the table of stock,
// in which those for whom nobody waits are many more.
const selectFillable: Statement = {
  name: 'backorder.select-fillable',
  text: `
    with recursive queue as (
      (select tenant, sku from backorder order by tenant, sku limit 1)
      union all
      select next.tenant, next.sku
      from queue q
      cross join lateral (
        select b.tenant, b.sku from backorder b where (b.tenant, b.sku) > (q.tenant, q.sku)
        order by b.tenant, b.sku limit 1
      ) as next
    )
    select s.tenant, s.sku
    from queue q join stock s on s.tenant = q.tenant and s.sku = q.sku
    where s.on_hand > s.reserved - s.awaited
    limit $1`,
};

// The positions are given in the order of the rows. Who holds the lock of the stock later gets later ones.
const insertEntries: Statement = {
  name: 'backorder.insert',
  text: `
    insert into backorder (tenant, sku, reservation_id, quantity)
    select tenant, sku, reservation_id, quantity
    from jsonb_to_recordset($1::jsonb) as b (
      tenant text, sku text, reservation_id uuid, quantity bigint, rank int)
    order by rank`,
};

const handEntriesOver: Statement = {
  name: 'backorder.hand-over',
  text: `
    update backorder b set reservation_id = k.next_id
    from unnest($1::text[], $2::uuid[], $3::uuid[]) as k (tenant, id, next_id)
    where b.tenant = k.tenant and b.reservation_id = k.id`,
};

const shortenEntries: Statement = {
  name: 'backorder.shorten',
  text: `
    update backorder b set quantity = f."left"
    from jsonb_to_recordset($1::jsonb) as f (tenant text, sku text, position bigint, "left" bigint)
    where b.tenant = f.tenant and b.sku = f.sku and b.position = f.position`,
};

const deleteEntries: Statement = {
  name: 'backorder.delete',
  text: `
    delete from backorder b
    using jsonb_to_recordset($1::jsonb) as f (tenant text, sku text, position bigint)
    where b.tenant = f.tenant and b.sku = f.sku and b.position = f.position`,
};

const leaveQueues: Statement = {
  name: 'backorder.leave',
  text: `
    delete from backorder b
    using unnest($1::text[], $2::uuid[]) as k (tenant, id)
    where b.tenant = k.tenant and b.reservation_id = k.id`,
};
