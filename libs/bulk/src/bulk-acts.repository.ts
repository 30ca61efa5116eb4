/**
 * The tables of bulk acts, for those who make, read and stop them; `bulk-work.repository.ts` has what carries them out.
 */
import type { Database, Statement, Tx } from '@shop/postgres';
import { type BulkAct, type BulkRow, MAX_BULK_ROWS, type NewBulkAct, type RowOutcome } from './bulk-act';

/** Where the subjects of a kind are found. */
export interface BulkSet {
  kind: string;
  freeze: Statement;
}

/**
 * @param meant a select of `id`, `version` and `since`, the time by which they are put in order. The tenant is `$2`, the filter
 *   `$5`, and further values begin at `$11`.
 */
export const bulkSet = (kind: string, meant: string): BulkSet => ({
  kind,
  // One statement sees one state of all subjects: what is counted is what is frozen.
  freeze: {
    name: `bulk-act.freeze-${kind}`,
    text: `
    with meant as materialized (${meant}
      limit $9::int + 1),
    act as (
      insert into bulk_act (id, tenant, act, reason, filter, made_by, rate_per_second, count, kind)
      select $1::uuid, $2, $3, $4, $5::jsonb, $6, $7::int, $8::int, $10
      where (select count(*) from meant) = $8::int and $8::int <= $9::int
      returning id),
    frozen as (
      insert into bulk_act_row (act_id, position, subject_id, subject_version)
      select act.id, row_number() over (order by meant.since, meant.id), meant.id, meant.version
      from meant, act)
    select count(*)::int as found from meant`,
  },
});

/**
 * Writes the act with all subjects that its filter means now, oldest first, if there are `expected` of them. Returns how
 * many there are; nothing is written when that is another number, or too large.
 */
export async function freezeBulkAct(
  tx: Tx,
  { kind, freeze }: BulkSet,
  asked: NewBulkAct,
  expected: number,
  values: readonly unknown[] = [],
): Promise<number> {
  const { id, tenant, act, reason, filter, madeBy, ratePerSecond } = asked;
  const own = [id, tenant, act, reason ?? null, filter, madeBy, ratePerSecond, expected, MAX_BULK_ROWS, kind];
  const [row] = await tx.query<{ found: number }>(freeze, [...own, ...values]);
  return row!.found;
}

export async function countRunning(tx: Tx, kind: string, tenant: string): Promise<number> {
  const [row] = await tx.query<{ count: number }>(selectRunning, [kind, tenant]);
  return row!.count;
}

/** Newest first; up to `limit` behind the act `before`. */
export function listBulkActs(
  database: Database,
  { kind, tenant, before, limit }: { kind: string; tenant: string; before?: string; limit: number },
): Promise<BulkAct[]> {
  return database.query<BulkAct>(selectPage, [kind, tenant, before ?? null, limit]);
}

/** Where one is: nobody finds the acts of another tenant. */
export interface BulkActPlace {
  kind: string;
  tenant: string;
  id: string;
}

export async function findBulkAct(
  from: Pick<Tx, 'query'>,
  { kind, tenant, id }: BulkActPlace,
): Promise<BulkAct | undefined> {
  return (await from.query<BulkAct>(selectOne, [kind, tenant, id]))[0];
}

/** In the order of their places in the act; up to `limit` behind the place `after`. */
export function listBulkRows(
  database: Database,
  { id, outcome, after, limit }: { id: string; outcome?: RowOutcome; after: number; limit: number },
): Promise<BulkRow[]> {
  const statement = outcome === 'waiting' ? selectWaiting : selectRows;
  return database.query<BulkRow>(statement, [id, outcome ?? null, after, limit]);
}

/**
 * When it is back, no further row is acted on. What was acted on is still handed over. One that is over stays as it is.
 */
export async function stopBulkAct(database: Database, { kind, tenant, id }: BulkActPlace, by: string): Promise<void> {
  await database.query(stop, [kind, tenant, id, by]);
}

const columns = `
  id, tenant, act, reason, filter, made_by as "madeBy", rate_per_second as "ratePerSecond", status, count, done, failed,
  created_at as "createdAt", ended_at as "endedAt", stopped_by as "stoppedBy"`;

const selectRunning: Statement = {
  name: 'bulk-act.count-running',
  text: `select count(*)::int as count from bulk_act where kind = $1 and status = 'running' and tenant = $2`,
};

const selectPage: Statement = {
  name: 'bulk-act.select-page',
  text: `
    select ${columns} from bulk_act
    where kind = $1 and tenant = $2 and (created_at, id) < (
      case when $3::uuid is null then 'infinity' else (select created_at from bulk_act where id = $3::uuid) end,
      coalesce($3::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
    order by created_at desc, id desc limit $4`,
};

const selectOne: Statement = {
  name: 'bulk-act.select',
  text: `select ${columns} from bulk_act where kind = $1 and tenant = $2 and id = $3`,
};

const row = 'position, subject_id as "subjectId", outcome, code, at';

const selectRows: Statement = {
  name: 'bulk-act.select-rows',
  text: `
    select ${row} from bulk_act_row
    where act_id = $1 and position > $3::int and ($2::text is null or outcome = $2)
    order by position limit $4`,
};

/** The outcome is written out, because the index is one of rows that wait. */
const selectWaiting: Statement = {
  name: 'bulk-act.select-waiting-rows',
  text: `
    select ${row} from bulk_act_row
    where act_id = $1 and position > $3::int and outcome = 'waiting' and $2::text = 'waiting'
    order by position limit $4`,
};

const stop: Statement = {
  name: 'bulk-act.stop',
  text: `
    update bulk_act set status = 'stopped', stopped_by = $4, ended_at = now()
    where kind = $1 and tenant = $2 and id = $3 and status = 'running'`,
};
