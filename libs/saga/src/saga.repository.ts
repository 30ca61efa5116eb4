/** The tables of sagas. Every statement that writes them is here. */
import { type Database, rowsOf, type Statement, type Tx } from '@shop/postgres';
import type { Results } from './definition';
import { type ActionName, isFinal, type SagaState, type SagaStatus, type Transition } from './saga-state';
import { known, type StoredWait, storedWait } from './stored-wait';

export interface SagaRow {
  id: string;
  definition: string;
  definitionVersion: number;
  state: SagaState;
  data: unknown;
  results: Results;
  traceparent: string;
  /** Counts the transitions. It is also the sequence number of the newest one in the history. */
  version: number;
  /** When it last moved, by the monotonic clock of this process (`performance.now()`). For durations only. */
  movedAtMs: number;
}

interface StoredSaga {
  id: string;
  definition: string;
  definition_version: number;
  status: SagaStatus;
  step: string;
  action: ActionName;
  attempt: number;
  reason: string | null;
  cancel_requested: boolean;
  waiting: StoredWait | null;
  data: unknown;
  results: Results;
  traceparent: string;
  version: number;
  age_ms: number;
}

/** So that the participant, whose clock may be another one, has decided when the saga asks again. */
const WAIT_GRACE_MS = 5_000;
/** Bank transfers take a week. Whoever needs longer is asked in between, and says so. */
const MAX_WAIT_MS = 8 * 24 * 60 * 60 * 1_000;

export const HISTORY_PRIMARY_KEY = 'saga_history_pkey';

/** Locks the sagas in key order, so that two replicas with overlapping batches cannot deadlock. */
export async function lockSagas(tx: Tx, ids: readonly string[]): Promise<SagaRow[]> {
  if (ids.length === 0) return [];
  const rows = await tx.query<StoredSaga>(selectForUpdate, [ids]);
  return rows.map((row) => ({
    id: row.id,
    definition: row.definition,
    definitionVersion: row.definition_version,
    state: {
      status: row.status,
      step: row.step,
      action: row.action,
      attempt: row.attempt,
      reason: row.reason ?? undefined,
      cancelRequested: row.cancel_requested,
      ...known(row),
    },
    data: row.data,
    results: row.results,
    traceparent: row.traceparent,
    version: row.version,
    movedAtMs: performance.now() - row.age_ms,
  }));
}

/**
 * `deadlinesMs` has one value for each of `sagas`, in the same order. It is counted from now; null means no deadline.
 */
export function insertSagas(tx: Tx, sagas: readonly SagaRow[], deadlinesMs: readonly (number | null)[]): void {
  if (sagas.length === 0) return;
  const rows = sagas.map(({ id, definition, definitionVersion, state, data, traceparent }, index) => ({
    id,
    definition,
    definition_version: definitionVersion,
    step: state.step,
    deadline_ms: deadlinesMs[index],
    data: data as object,
    traceparent,
  }));
  tx.send(insertRows, [rowsOf(rows)]);
}

/**
 * Saves in key order. The rows may or may not be locked by this transaction. If somebody else has already made a
 * version, the key of the history fails the transaction.
 * A saga that waits has its deadline at the end of its wait. Without a new deadline, a saga keeps its deadline, unless its status changes: then nothing is awaited any more. What
 * `secretsOf` names is erased from the data of a saga that has ended.
 */
export function saveSagas(
  tx: Tx,
  sagas: readonly SagaRow[],
  deadlinesMs: readonly (number | null)[],
  secretsOf: (saga: SagaRow) => readonly string[],
): void {
  if (sagas.length === 0) return;
  const rows = sagas.map((saga, index) => ({
    id: saga.id,
    status: saga.state.status,
    step: saga.state.step,
    action: saga.state.action,
    attempt: saga.state.attempt,
    reason: saga.state.reason,
    cancel_requested: saga.state.cancelRequested,
    waiting: storedWait(saga.state),
    deadline_ms: deadlinesMs[index],
    results: saga.results,
    version: saga.version,
    erased: isFinal(saga.state.status) ? secretsOf(saga) : [],
  }));
  tx.send(updateRows, [rowsOf(rows), WAIT_GRACE_MS, MAX_WAIT_MS]);
}

/** Each transition is written under the version of the saga that it made. */
export function appendHistory(tx: Tx, changes: readonly { saga: SagaRow; transition: Transition }[]): void {
  if (changes.length === 0) return;
  const rows = changes.map(({ saga, transition: { event, step, from, to, attempt, detail } }) => ({
    saga_id: saga.id,
    seq: saga.version,
    event,
    step,
    from_position: from,
    to_position: to,
    attempt,
    detail,
  }));
  tx.send(insertHistory, [rowsOf(rows)]);
}

export interface DueSaga {
  id: string;
  step: string;
  action: ActionName;
  attempt: number;
}

/**
 * The sagas of these definitions (`name v1`) whose deadline has passed, the most overdue first. It locks nothing:
 * `decide` knows a deadline that is over.
 */
export async function findDue(database: Database, definitions: readonly string[], limit: number): Promise<DueSaga[]> {
  return database.query<DueSaga>(selectDue, [definitions, limit]);
}

interface SagaCounts {
  parked: number;
  /** Open sagas that are of none of the definitions. */
  unknown: number;
  waiting: number;
}

/** @param definitions those that are known, as `name v1` */
export async function countSagas(database: Database, definitions: readonly string[]): Promise<SagaCounts> {
  const [counts] = await database.query<SagaCounts>(selectCounts, [definitions]);
  return counts!;
}

/** The open sagas by tenant, without those that wait. */
export function countOpen(database: Database): Promise<{ tenant: string; sagas: number }[]> {
  return database.query<{ tenant: string; sagas: number }>(selectOpen, []);
}

const selectForUpdate: Statement = {
  name: 'saga.select-for-update',
  text: `
    select id, definition, definition_version, status, step, action, attempt, reason, cancel_requested, waiting, data, results,
           traceparent, version, (extract(epoch from now() - updated_at) * 1000)::int8 as age_ms
    from saga where id = any($1::uuid[]) order by id for update`,
};

const insertRows: Statement = {
  name: 'saga.insert',
  text: `
    insert into saga (id, definition, definition_version, status, step, action, attempt, deadline_at, data, traceparent, version)
    select id, definition, definition_version, 'running', step, 'do', 1, now() + deadline_ms * interval '1 millisecond',
           data, traceparent, 1
    from jsonb_to_recordset($1::jsonb) as s (
      id uuid, definition text, definition_version int, step text, deadline_ms int, data jsonb, traceparent text)`,
};

const updateRows: Statement = {
  name: 'saga.update',
  text: `
    update saga s
    set status = u.status, step = u.step, action = u.action, attempt = u.attempt, reason = u.reason,
        cancel_requested = u.cancel_requested, waiting = u.waiting,
        deadline_at = case when u.waiting ? 'until'
                             then least(greatest((u.waiting ->> 'until')::timestamptz, now()) + $2 * interval '1 millisecond',
                                        now() + $3 * interval '1 millisecond')
                           when u.deadline_ms is null and s.status = u.status then s.deadline_at
                           else now() + u.deadline_ms * interval '1 millisecond' end,
        results = u.results, version = u.version, updated_at = now(), data = s.data - u.erased
    from jsonb_to_recordset($1::jsonb) as u (
      id uuid, status text, step text, action text, attempt int, reason text, cancel_requested bool, waiting jsonb, deadline_ms int,
      results jsonb, version int, erased text[])
    where s.id = u.id and s.version < u.version`,
};

const insertHistory: Statement = {
  name: 'saga.insert-history',
  text: `
    insert into saga_history (saga_id, seq, event, step, from_position, to_position, attempt, detail)
    select saga_id, seq, event, step, from_position, to_position, attempt, detail
    from jsonb_to_recordset($1::jsonb) as h (
      saga_id uuid, seq int, event text, step text, from_position text, to_position text, attempt int, detail jsonb)`,
};

const selectDue: Statement = {
  name: 'saga.select-due',
  text: `
    select id, step, action, attempt from saga
    where status in ('running', 'compensating') and deadline_at <= now()
      and definition || ' v' || definition_version = any($1::text[])
    order by deadline_at limit $2`,
};

const selectOpen: Statement = {
  name: 'saga.select-open',
  text: `
    select coalesce(data ->> 'tenant', '') as tenant, count(*)::int as sagas from saga
    where status in ('running', 'compensating') and attempt > 0 group by 1`,
};

/** The statement has two halves, because each status has its own partial index. */
const selectCounts: Statement = {
  name: 'saga.select-counts',
  text: `
    select parked.sagas as parked, parked.unknown + moving.unknown as unknown, moving.waiting
    from (select count(*)::int as sagas,
                 (count(*) filter (where definition || ' v' || definition_version <> all($1::text[])))::int as unknown
          from saga where status = 'parked') as parked,
         (select (count(*) filter (where definition || ' v' || definition_version <> all($1::text[])))::int as unknown,
                 (count(*) filter (where attempt = 0))::int as waiting
          from saga where status in ('running', 'compensating')) as moving`,
};
