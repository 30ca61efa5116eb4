/** The saga's tables: every statement that writes them stands here. */
import type { Database, Statement, Tx } from '@shop/postgres';
import type { ActionName, SagaState, SagaStatus, Transition } from './decide';

export interface SagaRow {
  id: string;
  definition: string;
  definitionVersion: number;
  state: SagaState;
  data: unknown;
  traceparent: string;
  /** Counts transitions; also the sequence number of the newest one in the history. */
  version: number;
  /** When the awaited command was first decided, for durations; undefined for a new saga. */
  updatedAt?: Date;
}

export interface HistoryRow extends Transition {
  sagaId: string;
  seq: number;
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
  data: unknown;
  traceparent: string;
  version: number;
  updated_at: Date;
}

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
    },
    data: row.data,
    traceparent: row.traceparent,
    version: row.version,
    updatedAt: row.updated_at,
  }));
}

/** `deadlinesMs` (from now; null for none) stands beside `sagas`, index by index. */
export function insertSagas(tx: Tx, sagas: readonly SagaRow[], deadlinesMs: readonly (number | null)[]): void {
  if (sagas.length === 0) return;
  tx.send(insertRows, [
    sagas.map(({ id }) => id),
    sagas.map(({ definition }) => definition),
    sagas.map(({ definitionVersion }) => definitionVersion),
    sagas.map(({ state }) => state.step),
    deadlinesMs,
    sagas.map(({ data }) => JSON.stringify(data)),
    sagas.map(({ traceparent }) => traceparent),
  ]);
}

/**
 * In key order. The rows may be locked by this transaction or not: a version that somebody else has made already
 * breaks the history's key, and with it the transaction.
 * Without a new deadline a saga keeps the one it has, unless its status changes: then nothing is awaited any more.
 */
export function saveSagas(tx: Tx, sagas: readonly SagaRow[], deadlinesMs: readonly (number | null)[]): void {
  if (sagas.length === 0) return;
  tx.send(updateRows, [
    sagas.map(({ id }) => id),
    sagas.map(({ state }) => state.status),
    sagas.map(({ state }) => state.step),
    sagas.map(({ state }) => state.action),
    sagas.map(({ state }) => state.attempt),
    sagas.map(({ state }) => state.reason ?? null),
    sagas.map(({ state }) => state.cancelRequested),
    deadlinesMs,
    sagas.map(({ version }) => version),
  ]);
}

export function appendHistory(tx: Tx, rows: readonly HistoryRow[]): void {
  if (rows.length === 0) return;
  tx.send(insertHistory, [
    rows.map(({ sagaId }) => sagaId),
    rows.map(({ seq }) => seq),
    rows.map(({ event }) => event),
    rows.map(({ step }) => step),
    rows.map(({ from }) => from),
    rows.map(({ to }) => to),
    rows.map(({ attempt }) => attempt),
    rows.map(({ detail }) => (detail ? JSON.stringify(detail) : null)),
  ]);
}

export interface DueSaga {
  id: string;
  step: string;
  action: ActionName;
  attempt: number;
}

/**
 * Sagas of these definitions (`name v1`) whose deadline has passed, the most overdue first. Locks nothing: `decide`
 * knows a deadline that is over.
 */
export async function findDue(database: Database, definitions: readonly string[], limit: number): Promise<DueSaga[]> {
  return database.query<DueSaga>(selectDue, [definitions, limit]);
}

const selectForUpdate: Statement = {
  name: 'saga.select-for-update',
  text: `
    select id, definition, definition_version, status, step, action, attempt, reason, cancel_requested, data,
           traceparent, version, updated_at
    from saga where id = any($1::uuid[]) order by id for update`,
};

const insertRows: Statement = {
  name: 'saga.insert',
  text: `
    insert into saga (id, definition, definition_version, status, step, action, attempt, deadline_at, data, traceparent, version)
    select id, definition, definition_version, 'running', step, 'do', 1, now() + deadline_ms * interval '1 millisecond',
           data::jsonb, traceparent, 1
    from unnest($1::uuid[], $2::text[], $3::int[], $4::text[], $5::int[], $6::text[], $7::text[])
      as s (id, definition, definition_version, step, deadline_ms, data, traceparent)`,
};

const updateRows: Statement = {
  name: 'saga.update',
  text: `
    update saga s
    set status = u.status, step = u.step, action = u.action, attempt = u.attempt, reason = u.reason,
        cancel_requested = u.cancel_requested,
        deadline_at = case when u.deadline_ms is null and s.status = u.status then s.deadline_at
                           else now() + u.deadline_ms * interval '1 millisecond' end,
        version = u.version, updated_at = now()
    from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::int[], $6::text[], $7::bool[], $8::int[], $9::int[])
      as u (id, status, step, action, attempt, reason, cancel_requested, deadline_ms, version)
    where s.id = u.id and s.version < u.version`,
};

const insertHistory: Statement = {
  name: 'saga.insert-history',
  text: `
    insert into saga_history (saga_id, seq, event, step, from_position, to_position, attempt, detail)
    select saga_id, seq, event, step, from_position, to_position, attempt, detail::jsonb
    from unnest($1::uuid[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::int[], $8::text[])
      as h (saga_id, seq, event, step, from_position, to_position, attempt, detail)`,
};

const selectDue: Statement = {
  name: 'saga.select-due',
  text: `
    select id, step, action, attempt from saga
    where status in ('running', 'compensating') and deadline_at <= now()
      and definition || ' v' || definition_version = any($1::text[])
    order by deadline_at limit $2`,
};
