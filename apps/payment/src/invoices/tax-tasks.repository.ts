/** The table of what the tax service has to be told. Every statement that writes it is here. */
import { type Database, rowsOf, type Statement, type Tx } from '@shop/postgres';
import type { NewTaxTask, TaxTaskStatus } from './tax-task';

/** A task that somebody works on. */
export interface TakenTask extends NewTaxTask {
  /** Counts from 1. */
  attempts: number;
}

export interface TaskCounts {
  parked: number;
  /** The time since the oldest open task was written; 0 without any. */
  oldestOpenSeconds: number;
}

/** Sends the tasks with the transaction that writes their papers. One that is there already stays as it is. */
export function queueTaxTasks(tx: Tx, tasks: readonly NewTaxTask[]): void {
  if (tasks.length > 0) tx.send(insertMany, [rowsOf(tasks.map((task) => ({ ...task })))]);
}

/** Takes up to `limit` tasks whose time has come. Nobody else gets them within the lease. */
export function takeOpenTasks(database: Database, limit: number, leaseSeconds: number): Promise<TakenTask[]> {
  return database.query<TakenTask>(claimOpen, [limit, leaseSeconds]);
}

/**
 * Writes what came of an attempt. A task that stays open gets its next time, or is parked if it has been open for too long.
 * Returns its status; undefined, and nothing is written, if a later attempt has begun.
 */
export async function finishTask(
  database: Database,
  { tenant, number, attempts }: TakenTask,
  status: TaxTaskStatus,
  error: string | null,
): Promise<TaxTaskStatus | undefined> {
  const values = [tenant, number, attempts, status, error];
  const [row] = await database.query<{ status: TaxTaskStatus }>(finish, values);
  return row?.status;
}

/** Opens a parked task again. False, and nothing is written, if it is not parked. */
export async function reopenTask(tx: Tx, tenant: string, number: string): Promise<boolean> {
  return (await tx.query(reopen, [tenant, number])).length > 0;
}

export async function countTasks(database: Database): Promise<TaskCounts> {
  const [row] = await database.query<TaskCounts>(count);
  return row!;
}

/** Removes up to `limit` tasks that were done long ago, and returns how many. */
export async function removeDone(database: Database, limit: number): Promise<number> {
  return (await database.query(deleteDone, [limit])).length;
}

const insertMany: Statement = {
  name: 'tax-task.insert-many',
  text: `
    insert into tax_task (tenant, number, kind, invoice, currency, rates)
    select r.tenant, r.number, r.kind, r.invoice, r.currency, r.rates
    from jsonb_to_recordset($1::jsonb) as r (tenant text, number text, kind text, invoice text, currency text, rates jsonb)
    order by r.tenant, r.number
    on conflict (tenant, number) do nothing`,
};

// A credit note waits until its invoice is known there.
const claimOpen: Statement = {
  name: 'tax-task.claim-open',
  text: `
    with due as materialized (
      select o.tenant, o.number from tax_task o
      where o.status = 'open' and o.next_at <= now() and (o.kind = 'commit' or not exists (
        select 1 from tax_task c where c.tenant = o.tenant and c.number = o.invoice and c.status <> 'done'
      ))
      order by o.next_at limit $1 for update of o skip locked
    )
    update tax_task t set attempts = t.attempts + 1, next_at = now() + $2::int * interval '1 second'
    from due
    where t.tenant = due.tenant and t.number = due.number
    returning t.tenant, t.number, t.kind, t.invoice, t.currency, t.rates, t.attempts`,
};

// The longer the service is away, the longer is the wait, and not all tasks come together. The count of attempts tells
// whose turn it is.
const finish: Statement = {
  name: 'tax-task.finish',
  text: `
    with decided as (
      select case when $4 = 'open' and open_since < now() - interval '3 days' then 'parked' else $4 end as status
      from tax_task where tenant = $1 and number = $2
    )
    update tax_task t
    set status = d.status,
        next_at = now() + (0.5 + random() / 2) * least(greatest(now() - t.open_since, interval '1 second'), interval '15 minutes'),
        ended_at = case when d.status <> 'open' then now() end,
        last_error = $5
    from decided d
    where t.tenant = $1 and t.number = $2 and t.attempts = $3 and t.status = 'open'
    returning t.status`,
};

const reopen: Statement = {
  name: 'tax-task.reopen',
  text: `
    update tax_task set status = 'open', open_since = now(), next_at = now(), ended_at = null, last_error = null
    where tenant = $1 and number = $2 and status = 'parked'
    returning number`,
};

const count: Statement = {
  name: 'tax-task.count',
  text: `
    select (select count(*) from tax_task where status = 'parked')::int as parked,
           (select coalesce(extract(epoch from now() - min(created_at)), 0)
            from tax_task where status = 'open')::float8 as "oldestOpenSeconds"`,
};

const deleteDone: Statement = {
  name: 'tax-task.delete-done',
  text: `
    with old as materialized (
      select tenant, number from tax_task where status = 'done' and ended_at < now() - interval '30 days'
      order by ended_at limit $1 for update skip locked
    )
    delete from tax_task t
    using old
    where t.tenant = old.tenant and t.number = old.number
    returning t.number`,
};
