/**
 * The table of the backfills: all statements on it are in this file.
 *
 * Whoever works on a backfill holds a lease with a token of its own. A step first renews the lease, which locks the row
 * until its commit. So no two steps of a backfill ever run at once, whatever the clocks say, and none runs for a backfill
 * that was paused or taken over.
 */
import type { Database, Statement, Tx } from '@shop/postgres';
import type { Cursor, Stretch } from './backfill';
import type { BackfillState, BackfillStatus, Move } from './backfill-state';

/** The right to work on a backfill. */
export interface Lease {
  name: string;
  token: string;
  leaseMs: number;
}

/** What the holder of a lease knows when it begins. */
export interface Held {
  name: string;
  cursor: Cursor | undefined;
  ratePerSecond: number | null;
  estimate: number | null;
  failures: number;
}

export interface BackfillRow extends BackfillState {
  name: string;
  worked: number;
  estimate: number | null;
  /** Null where no operator has said one. */
  ratePerSecond: number | null;
  lastError: string | null;
  startedAt: Date | null;
  workedAt: Date | null;
  endedAt: Date | null;
}

/** Makes the rows of backfills that are new. */
export async function enterBackfills(database: Database, names: readonly string[]): Promise<void> {
  await database.query(insertNames, [names]);
}

/** By name: up to `limit` of these behind the name `after`. */
export function listBackfills(
  database: Database,
  { names, after, limit }: { names: readonly string[]; after: string; limit: number },
): Promise<BackfillRow[]> {
  return database.query<BackfillRow>(selectBackfills, [names, after, limit]);
}

export async function lockBackfill(tx: Tx, name: string): Promise<BackfillRow> {
  const [row] = await tx.query<BackfillRow>(selectForUpdate, [name]);
  return row!;
}

/** @param ratePerSecond stays as it is, if not given */
export async function moveBackfill(tx: Tx, name: string, move: Move, ratePerSecond?: number): Promise<BackfillRow> {
  const statements: Record<Move, Statement> = { stay: setRate, begin: beginRun, 'go-on': goOn, pause: pauseRun };
  const [row] = await tx.query<BackfillRow>(statements[move], [name, ratePerSecond ?? null]);
  return row!;
}

/** Takes one of these backfills that runs, is due, and on which nobody works. */
export async function takeBackfill(
  database: Database,
  { names, token, leaseMs }: { names: readonly string[]; token: string; leaseMs: number },
): Promise<Held | undefined> {
  const [row] = await database.query<Held & { cursor: Cursor }>(takeNext, [names, token, leaseMs]);
  return row && { ...row, cursor: row.cursor ?? undefined };
}

/** The rate that operators have said; undefined when the lease is lost, or the backfill is to run no more. */
export async function renewLease(
  database: Database,
  { name, token, leaseMs }: Lease,
): Promise<{ ratePerSecond: number | null } | undefined> {
  const [row] = await database.query<{ ratePerSecond: number | null }>(renew, [name, token, leaseMs]);
  return row;
}

/** The same in the transaction of a step, as its first statement: nobody else gets the lease before its end. */
export async function lockLease(
  tx: Tx,
  { name, token, leaseMs }: Lease,
): Promise<{ ratePerSecond: number | null } | undefined> {
  const [row] = await tx.query<{ ratePerSecond: number | null }>(renew, [name, token, leaseMs]);
  return row;
}

/** In a transaction that has the lock of `lockLease`. */
export function writeCheckpoint(tx: Tx, { name, token }: Lease, { cursor, worked, done }: Stretch<Cursor>): void {
  tx.send(checkpoint, [name, token, JSON.stringify(cursor), worked, done]);
}

export async function writeEstimate(database: Database, { name, token }: Lease, estimate: number): Promise<void> {
  await database.query(setEstimate, [name, token, estimate]);
}

/** Somebody else may go on at once. */
export async function releaseLease(database: Database, { name, token }: Lease): Promise<void> {
  await database.query(release, [name, token]);
}

/** Gives the lease back after a failure. `againInMs` is the wait until the next try; undefined: there is none. */
export async function recordFailure(
  database: Database,
  { name, token }: Lease,
  { reason, againInMs }: { reason: string; againInMs?: number },
): Promise<BackfillStatus | undefined> {
  const values = [name, token, reason, againInMs ?? null];
  return (await database.query<{ status: BackfillStatus }>(fail, values))[0]?.status;
}

const columns = `
  name, status, runs, worked, estimate, rate_per_second as "ratePerSecond", last_error as "lastError",
  started_at as "startedAt", worked_at as "workedAt", ended_at as "endedAt"`;

const insertNames: Statement = {
  name: 'backfill.insert-names',
  text: `insert into backfill (name) select unnest($1::text[]) on conflict (name) do nothing`,
};

const selectBackfills: Statement = {
  name: 'backfill.select-page',
  text: `
    select ${columns} from backfill
    where name = any($1::text[]) and name > $2::text order by name limit $3::int`,
};

const selectForUpdate: Statement = {
  name: 'backfill.select-for-update',
  text: `select ${columns} from backfill where name = $1::text for update`,
};

const setRate: Statement = {
  name: 'backfill.set-rate',
  text: `
    update backfill set rate_per_second = coalesce($2::int, rate_per_second)
    where name = $1::text returning ${columns}`,
};

const beginRun: Statement = {
  name: 'backfill.begin-run',
  text: `
    update backfill
    set status = 'running', runs = runs + 1, cursor = null, worked = 0, estimate = null,
        rate_per_second = coalesce($2::int, rate_per_second), failures = 0, next_try_at = now(), last_error = null,
        started_at = now(), worked_at = null, ended_at = null
    where name = $1::text returning ${columns}`,
};

const goOn: Statement = {
  name: 'backfill.go-on',
  text: `
    update backfill
    set status = 'running', rate_per_second = coalesce($2::int, rate_per_second), failures = 0, next_try_at = now(),
        ended_at = null
    where name = $1::text returning ${columns}`,
};

const pauseRun: Statement = {
  name: 'backfill.pause',
  text: `
    update backfill
    set status = 'paused', rate_per_second = coalesce($2::int, rate_per_second),
        lease_token = null, leased_until = '-infinity'
    where name = $1::text returning ${columns}`,
};

const takeNext: Statement = {
  name: 'backfill.take',
  text: `
    with next as materialized (
      select name from backfill
      where name = any($1::text[]) and status = 'running' and leased_until < now() and next_try_at <= now()
      order by worked_at nulls first, name limit 1 for update skip locked)
    update backfill b set lease_token = $2::uuid, leased_until = now() + $3::int * interval '1 millisecond'
    from next where b.name = next.name
    returning b.name, b.cursor, b.rate_per_second as "ratePerSecond", b.estimate, b.failures`,
};

const renew: Statement = {
  name: 'backfill.renew',
  text: `
    update backfill set leased_until = now() + $3::int * interval '1 millisecond'
    where name = $1::text and lease_token = $2::uuid and status = 'running'
    returning rate_per_second as "ratePerSecond"`,
};

const checkpoint: Statement = {
  name: 'backfill.checkpoint',
  text: `
    update backfill
    set cursor = $3::jsonb, worked = worked + $4::bigint, failures = 0, last_error = null, worked_at = now(),
        status = case when $5::boolean then 'done' else status end,
        ended_at = case when $5::boolean then now() end,
        lease_token = case when $5::boolean then null else lease_token end,
        leased_until = case when $5::boolean then '-infinity' else leased_until end
    where name = $1::text and lease_token = $2::uuid`,
};

const setEstimate: Statement = {
  name: 'backfill.set-estimate',
  text: `update backfill set estimate = $3::bigint where name = $1::text and lease_token = $2::uuid`,
};

const release: Statement = {
  name: 'backfill.release',
  text: `
    update backfill set lease_token = null, leased_until = '-infinity'
    where name = $1::text and lease_token = $2::uuid`,
};

const fail: Statement = {
  name: 'backfill.fail',
  text: `
    update backfill
    set failures = failures + 1, last_error = $3::text,
        status = case when $4::int is null then 'failed' else status end,
        ended_at = case when $4::int is null then now() end,
        next_try_at = now() + coalesce($4::int, 0) * interval '1 millisecond',
        lease_token = null, leased_until = '-infinity'
    where name = $1::text and lease_token = $2::uuid and status = 'running'
    returning status`,
};
