/**
 * The tables of the outbox: all statements on them are in this file.
 *
 * Rows do not become visible in the order of their numbers, so each row has the id of its transaction. Rows that are
 * older than the oldest open transaction are complete: nothing can be added between them. Only these are published,
 * in the order of (xid, position), so a transaction that commits late is never skipped. Transactions that depend on
 * each other get their ids in that order, so the events of one subject keep their order.
 */
import type { Database, Statement, Tx } from '@shop/postgres';
import { encodeBatch, type Message } from './message';
import { creating } from './message-spans';

/** A place in the outbox; `xid` is text, since it has 64 bits. */
export interface Place {
  xid: string;
  position: number;
}

/**
 * How far the outbox is published: up to this place, with this sequence in the stream that was created at that time.
 */
export interface Progress extends Place {
  sequence: number;
  streamCreated: string | null;
}

export interface OutboxRow extends Place {
  /** JSON; null while an older transaction is open, which may still write before it. */
  event: string | null;
}

/** Writes events in the caller's transaction, with its time; wake the relay after the commit. */
export function appendEvents(tx: Tx, events: readonly Message[]): void {
  if (events.length > 0) tx.send(insertEvents, [encodeBatch(creating(tx, events))]);
}

/**
 * Takes the lease to publish, if no other replica has it and there is something to publish, or with `anyway`. The
 * result is `foreign` if the tables have transaction ids that this server has not given out yet: they came from
 * another server, by a dump.
 */
export async function claimRelay(
  database: Database,
  { token, leaseMs, anyway }: { token: string; leaseMs: number; anyway: boolean },
): Promise<{ progress: Progress; foreign: boolean } | undefined> {
  const [row] = await database.query<ProgressRow & { foreign: boolean }>(updateLease, [token, leaseMs, anyway]);
  return row && { progress: progressOf(row), foreign: row.foreign };
}

/** Starts again with all events, under ids that are older than all of this server's; false if the lease was lost. */
export function startOver(database: Database, token: string): Promise<boolean> {
  return database.transaction(async (tx) => {
    const [row] = await tx.query(moveToStart, [token]);
    if (!row) return false;
    tx.send(adoptEvents);
    tx.send(forgetBatches);
    return true;
  });
}

export async function releaseRelay(database: Database, token: string): Promise<void> {
  await database.query(endLease, [token]);
}

/** The events behind this place, in order. */
export function readOutbox(database: Database, after: Place, limit: number): Promise<OutboxRow[]> {
  return database.query<OutboxRow>(selectBehind, [after.xid, after.position, limit]);
}

/** What is written and not acknowledged by the broker; counted up to `most`. */
export async function readOutboxLag(
  database: Database,
  most: number,
): Promise<{ events: number; oldestSeconds: number | null }> {
  const [lag] = await database.query<{ events: number; oldestSeconds: number | null }>(selectLag, [most]);
  return lag!;
}

/** Records what the stream has acknowledged, and renews the lease; false if another replica has taken the lease. */
export async function recordBatch(
  database: Database,
  batch: { token: string; leaseMs: number; after: Place; upto: Place; sequence: number },
): Promise<boolean> {
  const { token, leaseMs, after, upto, sequence } = batch;
  const values = [token, leaseMs, after.xid, after.position, upto.xid, upto.position, sequence];
  return (await database.query(insertBatch, values)).length > 0;
}

/**
 * Goes back to the first batch that the stream has lost: what it acknowledged above `keptSequence` in the last
 * `withinMs` will be published again. Returns the new progress and how many batches were lost; nothing if the lease
 * was lost.
 */
export function rewind(
  database: Database,
  options: { token: string; keptSequence: number; streamCreated: string; withinMs: number },
): Promise<{ progress: Progress; batches: number } | undefined> {
  const { token, keptSequence, streamCreated, withinMs } = options;
  return database.transaction(async (tx) => {
    const moving = tx.query<ProgressRow>(moveBack, [token, keptSequence, streamCreated, withinMs]);
    // After the first statement, which locks the relay's row: both happen under the lease, or neither does.
    const deleting = tx.query<{ count: number }>(deleteLost, [token, keptSequence]);
    const [[row], [deleted]] = await Promise.all([moving, deleting]);
    return row && { progress: progressOf(row), batches: deleted!.count };
  });
}

/** The oldest batch that was published within this time under a sequence below this one. */
export async function findBelow(
  database: Database,
  { firstSequence, withinMs }: { firstSequence: number; withinMs: number },
): Promise<number | undefined> {
  const [row] = await database.query<{ sequence: number }>(selectBelow, [firstSequence, withinMs]);
  return row?.sequence;
}

/** The last of the oldest batches that was published longer ago than this. */
export async function findExpired(
  database: Database,
  olderThanMs: number,
): Promise<(Place & { sequence: number }) | undefined> {
  const [row] = await database.query<Place & { sequence: number }>(selectExpired, [olderThanMs]);
  return row;
}

/** Removes up to `limit` events up to this place; returns how many. */
export async function removeEvents(database: Database, upto: Place, limit: number): Promise<number> {
  const [row] = await database.query<{ count: number }>(deleteEvents, [upto.xid, upto.position, limit]);
  return row!.count;
}

export async function removeBatches(database: Database, uptoSequence: number): Promise<void> {
  await database.query(deleteBatches, [uptoSequence]);
}

interface ProgressRow extends Place {
  sequence: number;
  stream_created: string | null;
}

const progressOf = ({ xid, position, sequence, stream_created }: ProgressRow): Progress => ({
  xid,
  position,
  sequence,
  streamCreated: stream_created,
});

/** RFC 3339, in UTC. */
const time = `to_char(now() at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/** The time becomes the first member of each object. As text, all else stays as it was written. */
const insertEvents: Statement = {
  name: 'outbox.insert',
  text: `
    insert into outbox (event)
    select ('{"time":"' || ${time} || '",' || substr(e.event::text, 2))::json
    from json_array_elements($1::json) with ordinality as e (event, place) order by e.place`,
};

const updateLease: Statement = {
  name: 'outbox.lease',
  text: `
    update outbox_relay r
    set lease_token = $1::uuid, leased_until = now() + $2::int * interval '1 millisecond'
    where (r.leased_until < now() or r.lease_token = $1::uuid)
      and ($3::boolean or exists (select from outbox o where (o.xid, o.position) > (r.xid, r.position)))
    returning r.xid, r.position, r.sequence, r.stream_created,
      (select r.xid >= here.next or exists (select from outbox o where o.xid >= here.next)
       from (select pg_snapshot_xmax(pg_current_snapshot()) as next) here) as foreign`,
};

const moveToStart: Statement = {
  name: 'outbox.move-to-start',
  text: `
    update outbox_relay set xid = '0', position = 0, sequence = 0, stream_created = null
    where lease_token = $1::uuid returning single`,
};

/** 3 is the first transaction id of a server; the events are now ordered by position alone. */
const adoptEvents: Statement = {
  name: 'outbox.adopt-events',
  text: `update outbox set xid = '3' where xid >= pg_snapshot_xmax(pg_current_snapshot())`,
};

const forgetBatches: Statement = { name: 'outbox.forget-batches', text: `delete from outbox_batch` };

const endLease: Statement = {
  name: 'outbox.end-lease',
  text: `update outbox_relay set leased_until = '-infinity' where lease_token = $1::uuid`,
};

const selectBehind: Statement = {
  name: 'outbox.select-behind',
  text: `
    select o.xid, o.position,
           case when o.xid < (select pg_snapshot_xmin(pg_current_snapshot())) then o.event::text end as event
    from outbox o
    where (o.xid, o.position) > ($1::xid8, $2::bigint)
    order by o.xid, o.position limit $3`,
};

/** The first one behind the place of the relay is about the oldest: the order is that of the transactions. */
const selectLag: Statement = {
  name: 'outbox.select-lag',
  text: `
    select count(*)::int as events,
           extract(epoch from now() - min((behind.event ->> 'time')::timestamptz) filter (where behind.number = 1))::float8
             as "oldestSeconds"
    from (select o.event, row_number() over (order by o.xid, o.position) as number
          from outbox o, outbox_relay r
          where (o.xid, o.position) > (r.xid, r.position)
          order by o.xid, o.position limit $1) as behind`,
};

const insertBatch: Statement = {
  name: 'outbox.insert-batch',
  text: `
    with moved as (
      update outbox_relay
      set xid = $5::xid8, position = $6::bigint, sequence = $7::bigint, leased_until = now() + $2::int * interval '1 millisecond'
      where lease_token = $1::uuid returning single)
    insert into outbox_batch (sequence, after_xid, after_position, upto_xid, upto_position)
    select $7::bigint, $3::xid8, $4::bigint, $5::xid8, $6::bigint from moved
    returning sequence`,
};

const selectBelow: Statement = {
  name: 'outbox.select-below',
  text: `
    select sequence from outbox_batch
    where sequence < $1::bigint and published_at > now() - $2::bigint * interval '1 millisecond'
    order by sequence limit 1`,
};

const moveBack: Statement = {
  name: 'outbox.move-back',
  text: `
    with lost as (
      select after_xid, after_position from outbox_batch
      where sequence > $2 and published_at > now() - $4::int * interval '1 millisecond'
      order by sequence limit 1)
    update outbox_relay r
    set sequence = $2, stream_created = $3,
        xid = coalesce((select after_xid from lost), r.xid),
        position = coalesce((select after_position from lost), r.position)
    where r.lease_token = $1::uuid
    returning r.xid, r.position, r.sequence, r.stream_created`,
};

const deleteLost: Statement = {
  name: 'outbox.delete-lost',
  text: `
    with gone as (
      delete from outbox_batch b using outbox_relay r
      where r.lease_token = $1::uuid and b.sequence > $2 returning b.sequence)
    select count(*) as count from gone`,
};

/** Sequences follow the time of publishing, so it is enough to look at the first ones. */
const selectExpired: Statement = {
  name: 'outbox.select-expired',
  text: `
    select b.sequence, b.upto_xid as xid, b.upto_position as position
    from (select sequence, upto_xid, upto_position, published_at from outbox_batch order by sequence limit 100) b
    where b.published_at < now() - $1::int * interval '1 millisecond'
    order by b.sequence desc limit 1`,
};

const deleteEvents: Statement = {
  name: 'outbox.delete-events',
  text: `
    with old as (
      select xid, position from outbox
      where (xid, position) <= ($1::xid8, $2::bigint) order by xid, position limit $3),
    gone as (
      delete from outbox o using old where o.xid = old.xid and o.position = old.position returning o.position)
    select count(*) as count from gone`,
};

const deleteBatches: Statement = {
  name: 'outbox.delete-batches',
  text: `delete from outbox_batch where sequence <= $1`,
};
