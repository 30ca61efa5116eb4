/**
 * The tables of the batches, for those who make, read and stop them; `batch-work.repository.ts` has what carries them
 * out.
 */
import type { Database, Statement, Tx } from '@shop/postgres';
import { REASON } from '../saga-keys';
import {
  type BatchFilter,
  type BatchRow,
  MAX_BATCH_ROWS,
  type NewBatch,
  type RowOutcome,
  type SagaBatch,
} from './saga-batch';

/**
 * Writes the batch with all parked sagas that the filter means now, oldest first, if there are `expected` of them. Returns
 * how many there are; nothing is written when that is another number, or too large.
 */
export async function freezeBatch(tx: Tx, batch: NewBatch, expected: number): Promise<number> {
  const { id, tenant, act, reason, filter, madeBy, ratePerSecond } = batch;
  const asked = [id, tenant, act, reason ?? null, filter, madeBy, ratePerSecond, expected, MAX_BATCH_ROWS];
  const [row] = await tx.query<{ found: number }>(freeze, [...asked, ...valuesOf(filter)]);
  return row!.found;
}

export async function countRunning(tx: Tx, tenant: string): Promise<number> {
  const [row] = await tx.query<{ count: number }>(selectRunning, [tenant]);
  return row!.count;
}

/** Newest first; up to `limit` behind the batch `before`. */
export function listBatches(
  database: Database,
  { tenant, before, limit }: { tenant: string; before?: string; limit: number },
): Promise<SagaBatch[]> {
  return database.query<SagaBatch>(selectPage, [tenant, before ?? null, limit]);
}

export async function findBatch(from: Pick<Tx, 'query'>, tenant: string, id: string): Promise<SagaBatch | undefined> {
  return (await from.query<SagaBatch>(selectOne, [tenant, id]))[0];
}

/** In the order of their places in the batch; up to `limit` behind the place `after`. */
export function listBatchRows(
  database: Database,
  { id, outcome, after, limit }: { id: string; outcome?: RowOutcome; after: number; limit: number },
): Promise<BatchRow[]> {
  return database.query<BatchRow>(outcome === 'waiting' ? selectWaiting : selectRows, [
    id,
    outcome ?? null,
    after,
    limit,
  ]);
}

/** When it is back, no row of the batch is acted on any more. One that is over stays as it is. */
export async function stopBatch(database: Database, tenant: string, id: string, by: string): Promise<void> {
  await database.query(stop, [tenant, id, by]);
}

const valuesOf = ({ definition, step, action, reason, olderThanSeconds }: BatchFilter): unknown[] => [
  definition ?? null,
  step ?? null,
  action ?? null,
  reason ?? null,
  olderThanSeconds ?? 0,
];

const columns = `
  id, tenant, act, reason, filter, made_by as "madeBy", rate_per_second as "ratePerSecond", status, count, done, failed,
  created_at as "createdAt", ended_at as "endedAt", stopped_by as "stoppedBy"`;

/** One statement sees one state of all sagas: what is counted is what is frozen. */
const freeze: Statement = {
  name: 'saga-batch.freeze',
  text: `
    with meant as materialized (
      select id, version, created_at from saga
      where status = 'parked' and data ->> 'tenant' = $2 and created_at <= now() - make_interval(secs => $14::float8)
        and ($10::text is null or definition = $10) and ($11::text is null or step = $11)
        and ($12::text is null or action = $12) and ($13::text is null or ${REASON} = $13)
      limit $9::int + 1),
    batch as (
      insert into saga_batch (id, tenant, act, reason, filter, made_by, rate_per_second, count)
      select $1::uuid, $2, $3, $4, $5::jsonb, $6, $7::int, $8::int
      where (select count(*) from meant) = $8::int and $8::int <= $9::int
      returning id),
    frozen as (
      insert into saga_batch_row (batch_id, position, saga_id, saga_version)
      select batch.id, row_number() over (order by meant.created_at, meant.id), meant.id, meant.version
      from meant, batch)
    select count(*)::int as found from meant`,
};

const selectRunning: Statement = {
  name: 'saga-batch.count-running',
  text: `select count(*)::int as count from saga_batch where status = 'running' and tenant = $1`,
};

const selectPage: Statement = {
  name: 'saga-batch.select-page',
  text: `
    select ${columns} from saga_batch
    where tenant = $1 and (created_at, id) < (
      case when $2::uuid is null then 'infinity' else (select created_at from saga_batch where id = $2::uuid) end,
      coalesce($2::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
    order by created_at desc, id desc limit $3`,
};

const selectOne: Statement = {
  name: 'saga-batch.select',
  text: `select ${columns} from saga_batch where tenant = $1 and id = $2`,
};

const row = 'position, saga_id as "sagaId", outcome, code, at';

const selectRows: Statement = {
  name: 'saga-batch.select-rows',
  text: `
    select ${row} from saga_batch_row
    where batch_id = $1 and position > $3::int and ($2::text is null or outcome = $2)
    order by position limit $4`,
};

/** The status is written out, because the index is one of rows that wait. */
const selectWaiting: Statement = {
  name: 'saga-batch.select-waiting-rows',
  text: `
    select ${row} from saga_batch_row
    where batch_id = $1 and position > $3::int and outcome = 'waiting' and $2::text = 'waiting'
    order by position limit $4`,
};

const stop: Statement = {
  name: 'saga-batch.stop',
  text: `
    update saga_batch
    set status = 'stopped', stopped_by = $3, ended_at = now(), lease_token = null, leased_until = '-infinity'
    where tenant = $1 and id = $2 and status = 'running'`,
};
