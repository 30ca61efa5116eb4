/**
 * What a worker reads and writes of an act. Each step first locks the row of the act under its lease, until its commit. So
 * no two steps of an act run at once, and none runs for an act that was stopped or taken over.
 */
import { type Database, rowsOf, type Statement, type Tx } from '@shop/postgres';
import type { BulkStatus, RowOutcome } from './bulk-act';
import type { HeldAct, Subject } from './bulk-kind';

/** The right to work on an act. */
export interface BulkLease {
  id: string;
  token: string;
  leaseMs: number;
}

export interface WaitingRow extends Subject {
  position: number;
  /** It was acted on, and is not handed over yet. */
  owed: boolean;
}

/** Takes an act on which nobody works. */
export async function takeAct(
  database: Database,
  kind: string,
  { token, leaseMs }: Omit<BulkLease, 'id'>,
): Promise<HeldAct | undefined> {
  return (await database.query<HeldAct>(take, [token, leaseMs, kind]))[0];
}

/** Renews the lease and keeps others away until the end of the transaction. Undefined when it is lost. */
export async function lockAct(tx: Tx, { id, token, leaseMs }: BulkLease): Promise<HeldAct | undefined> {
  return (await tx.query<HeldAct>(renew, [id, token, leaseMs]))[0];
}

/** In a transaction that has the lock. Of an act that was stopped, only those that are owed. */
export function nextRows(tx: Tx, { id, status }: Pick<HeldAct, 'id' | 'status'>, limit: number): Promise<WaitingRow[]> {
  return tx.query<WaitingRow>(selectNext, [id, status === 'running', limit]);
}

/** What became of a row. One that still `waits` was acted on, and is owed. */
export interface RowResult {
  position: number;
  outcome: RowOutcome;
  code?: string;
}

/** In a transaction that has the lock. Returns what the act is then, and whether it owes something. */
export async function writeResults(
  tx: Tx,
  id: string,
  results: readonly RowResult[],
): Promise<{ status: BulkStatus; owes: boolean }> {
  tx.send(updateRows, [id, rowsOf(results.map(({ position, outcome, code }) => ({ position, outcome, code })))]);
  const countOf = (wanted: RowOutcome): number => results.filter(({ outcome }) => outcome === wanted).length;
  const [row] = await tx.query<{ status: BulkStatus; owes: boolean }>(countOn, [
    id,
    countOf('done'),
    countOf('failed'),
  ]);
  return row!;
}

/** Others may take it at once, or after a while. */
export async function releaseAct(database: Database, { id, token }: BulkLease, againInMs = 0): Promise<void> {
  await database.query(release, [id, token, againInMs]);
}

const held = 'id, tenant, act, reason, made_by as "madeBy", rate_per_second as "ratePerSecond", status';

/** One that was stopped while it owed something has that still to hand over. */
const isOpen = `(status = 'running' or owes)`;

const take: Statement = {
  name: 'bulk-act.take',
  text: `
    with next as materialized (
      select id as next_id from bulk_act
      where kind = $3 and ${isOpen} and leased_until < now() and next_try_at <= now()
      order by next_try_at, id limit 1 for update skip locked)
    update bulk_act set lease_token = $1::uuid, leased_until = now() + $2::int * interval '1 millisecond'
    from next where id = next_id
    returning ${held}`,
};

const renew: Statement = {
  name: 'bulk-act.renew',
  text: `
    update bulk_act set leased_until = now() + $3::int * interval '1 millisecond'
    where id = $1 and lease_token = $2::uuid and ${isOpen}
    returning ${held}`,
};

/** Those that are owed come first: rows are acted on in their order. */
const selectNext: Statement = {
  name: 'bulk-act.select-next',
  text: `
    select position, subject_id as "subjectId", subject_version as version, owed from bulk_act_row
    where act_id = $1 and outcome = 'waiting' and (owed or $2::boolean) order by position limit $3`,
};

const updateRows: Statement = {
  name: 'bulk-act.update-rows',
  text: `
    update bulk_act_row r
    set outcome = o.outcome, owed = o.outcome = 'waiting', code = o.code,
        at = case when o.outcome <> 'waiting' then now() end
    from jsonb_to_recordset($2::jsonb) as o (position int, outcome text, code text)
    where r.act_id = $1 and r.position = o.position and r.outcome = 'waiting'`,
};

const countOn: Statement = {
  name: 'bulk-act.count-on',
  text: `
    update bulk_act
    set done = done + $2::int, failed = failed + $3::int,
        owes = exists (select from bulk_act_row where act_id = $1 and owed),
        status = case when status = 'running' and done + failed + $2::int + $3::int = count then 'done' else status end,
        ended_at = case when status = 'running' and done + failed + $2::int + $3::int = count then now() else ended_at end
    where id = $1 returning status, owes`,
};

const release: Statement = {
  name: 'bulk-act.release',
  text: `
    update bulk_act
    set lease_token = null, leased_until = '-infinity', next_try_at = now() + $3::int * interval '1 millisecond'
    where id = $1 and lease_token = $2::uuid`,
};
