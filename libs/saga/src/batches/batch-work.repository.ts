/**
 * What a worker reads and writes of a batch. Each step first locks the row of the batch under its lease, until its commit.
 * So no two steps of a batch run at once, and none runs for a batch that was stopped or taken over.
 */
import { type Database, rowsOf, type Statement, type Tx } from '@shop/postgres';
import type { BatchAct, BatchStatus } from './saga-batch';

/** The right to work on a batch. */
export interface BatchLease {
  id: string;
  token: string;
  leaseMs: number;
}

export interface HeldBatch {
  id: string;
  act: BatchAct;
  reason: string | null;
  madeBy: string;
  ratePerSecond: number;
}

export interface WaitingRow {
  position: number;
  sagaId: string;
  version: number;
}

/** Takes a batch that runs and on which nobody works. */
export async function takeBatch(
  database: Database,
  { token, leaseMs }: Omit<BatchLease, 'id'>,
): Promise<HeldBatch | undefined> {
  return (await database.query<HeldBatch>(take, [token, leaseMs]))[0];
}

/** Renews the lease and keeps others away until the end of the transaction. Undefined when it is lost. */
export async function lockBatch(tx: Tx, { id, token, leaseMs }: BatchLease): Promise<HeldBatch | undefined> {
  return (await tx.query<HeldBatch>(renew, [id, token, leaseMs]))[0];
}

/** In a transaction that has the lock. */
export function nextRows(tx: Tx, id: string, limit: number): Promise<WaitingRow[]> {
  return tx.query<WaitingRow>(selectNext, [id, limit]);
}

/** The code is why nothing was done. In a transaction that has the lock. Returns what the batch is then. */
export async function writeOutcomes(
  tx: Tx,
  id: string,
  rows: readonly { position: number; code?: string }[],
): Promise<BatchStatus> {
  tx.send(updateRows, [id, rowsOf(rows.map(({ position, code }) => ({ position, code })))]);
  const failed = rows.filter(({ code }) => code !== undefined).length;
  const [row] = await tx.query<{ status: BatchStatus }>(countOn, [id, rows.length - failed, failed]);
  return row!.status;
}

/** Others may take it at once, or after a while. */
export async function releaseBatch(database: Database, { id, token }: BatchLease, againInMs = 0): Promise<void> {
  await database.query(release, [id, token, againInMs]);
}

const held = 'id, act, reason, made_by as "madeBy", rate_per_second as "ratePerSecond"';

const take: Statement = {
  name: 'saga-batch.take',
  text: `
    with next as materialized (
      select id as next_id from saga_batch
      where status = 'running' and leased_until < now() and next_try_at <= now()
      order by next_try_at, id limit 1 for update skip locked)
    update saga_batch set lease_token = $1::uuid, leased_until = now() + $2::int * interval '1 millisecond'
    from next where id = next_id
    returning ${held}`,
};

const renew: Statement = {
  name: 'saga-batch.renew',
  text: `
    update saga_batch set leased_until = now() + $3::int * interval '1 millisecond'
    where id = $1 and lease_token = $2::uuid and status = 'running'
    returning ${held}`,
};

const selectNext: Statement = {
  name: 'saga-batch.select-next',
  text: `
    select position, saga_id as "sagaId", saga_version as version from saga_batch_row
    where batch_id = $1 and outcome = 'waiting' order by position limit $2`,
};

const updateRows: Statement = {
  name: 'saga-batch.update-rows',
  text: `
    update saga_batch_row r
    set outcome = case when o.code is null then 'done' else 'failed' end, code = o.code, at = now()
    from jsonb_to_recordset($2::jsonb) as o (position int, code text)
    where r.batch_id = $1 and r.position = o.position and r.outcome = 'waiting'`,
};

const countOn: Statement = {
  name: 'saga-batch.count-on',
  text: `
    update saga_batch
    set done = done + $2::int, failed = failed + $3::int,
        status = case when done + failed + $2::int + $3::int = count then 'done' else status end,
        ended_at = case when done + failed + $2::int + $3::int = count then now() end
    where id = $1 returning status`,
};

const release: Statement = {
  name: 'saga-batch.release',
  text: `
    update saga_batch
    set lease_token = null, leased_until = '-infinity', next_try_at = now() + $3::int * interval '1 millisecond'
    where id = $1 and lease_token = $2::uuid`,
};
