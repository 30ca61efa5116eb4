/** The table of events of the provider. Every statement on it is here. */
import type { Database, Statement, Tx } from '@shop/postgres';
import type { EventStatus, ReceivedEvent, StoredEvent } from './provider-event';

interface EventRow {
  id: string;
  type: string;
  object_id: string;
  intent_id: string | null;
  tenant: string | null;
  payment_id: string | null;
  created_at: Date;
  attempts: number;
}

/** Sends a new event. An old one stays as it is, also if the ledger has forgotten it. */
export function insertEvent(tx: Tx, event: ReceivedEvent): void {
  const { id, type, objectId, intentId, tenant, paymentId, createdAt } = event;
  tx.send(insertOne, [id, type, objectId, intentId, tenant, paymentId, createdAt]);
}

/** Takes up to `limit` events whose time has come. Nobody else gets them within the lease. */
export async function takeOpen(database: Database, limit: number, leaseSeconds: number): Promise<StoredEvent[]> {
  const rows = await database.query<EventRow>(claimOpen, [limit, leaseSeconds]);
  return rows.map((row) => ({
    id: row.id,
    type: row.type,
    objectId: row.object_id,
    intentId: row.intent_id,
    tenant: row.tenant,
    paymentId: row.payment_id,
    createdAt: row.created_at.toISOString(),
    attempts: row.attempts,
  }));
}

/**
 * Writes what came of an attempt. One that stays open gets its next time, or is ignored if it has been open for too long.
 * Returns its status; undefined, and nothing is written, if a later attempt has begun.
 */
export async function finishAttempt(
  database: Database,
  { id, attempts }: Pick<StoredEvent, 'id' | 'attempts'>,
  status: EventStatus,
  error: string | null = null,
): Promise<EventStatus | undefined> {
  const [row] = await database.query<{ status: EventStatus }>(finish, [id, attempts, status, error]);
  return row?.status;
}

/** The time since the oldest open event came; 0 without any. */
export async function findOldestOpenSeconds(database: Database): Promise<number> {
  const [row] = await database.query<{ seconds: number }>(oldestOpen);
  return row!.seconds;
}

/** Removes up to `limit` events that ended long ago, and returns how many. */
export async function removeEnded(database: Database, limit: number): Promise<number> {
  return (await database.query(deleteEnded, [limit])).length;
}

const insertOne: Statement = {
  name: 'provider-event.insert',
  text: `
    insert into provider_event (id, type, object_id, intent_id, tenant, payment_id, created_at)
    values ($1, $2, $3, $4, $5, $6, $7)
    on conflict (id) do nothing`,
};

const claimOpen: Statement = {
  name: 'provider-event.claim-open',
  text: `
    with due as materialized (
      select id from provider_event where status = 'open' and next_at <= now()
      order by next_at limit $1 for update skip locked
    )
    update provider_event e set attempts = e.attempts + 1, next_at = now() + $2::int * interval '1 second'
    from due
    where e.id = due.id
    returning e.id, e.type, e.object_id, e.intent_id, e.tenant, e.payment_id, e.created_at, e.attempts`,
};

// An event may come before the commit of what it is about, so it is tried often at first. Later it waits for something
// that takes its time. The count of attempts tells whose turn it is.
const finish: Statement = {
  name: 'provider-event.finish',
  text: `
    update provider_event
    set status = case when $3 = 'open' and received_at < now() - interval '3 days' then 'ignored' else $3 end,
        next_at = now() + case when received_at > now() - interval '30 seconds' then interval '0.5 seconds'
                               else least((now() - received_at) * 0.1, interval '1 hour') end,
        last_error = $4
    where id = $1 and attempts = $2 and status = 'open'
    returning status`,
};

const oldestOpen: Statement = {
  name: 'provider-event.oldest-open',
  text: `
    select coalesce(extract(epoch from now() - min(received_at)), 0)::float8 as seconds
    from provider_event where status = 'open'`,
};

const deleteEnded: Statement = {
  name: 'provider-event.delete-ended',
  text: `
    with old as materialized (
      select id from provider_event where status <> 'open' and received_at < now() - interval '30 days'
      order by received_at limit $1 for update skip locked
    )
    delete from provider_event e
    using old
    where e.id = old.id
    returning e.id`,
};
