/** The tables of sagas. Every statement that writes them is here. */
import { rowsOf, type Statement, type Tx } from '@shop/postgres';
import type { Results } from './definition';
import { type ActionName, isFinal, type SagaState, type SagaStatus, type Transition } from './saga-state';
import { knownHold, type StoredHold, storedHold } from './stored-hold';
import { type AwaitedCommand, awaitedCommand, knownCommand } from './stored-command';
import { known, type StoredWait, storedWait } from './stored-wait';

export interface SagaRow {
  id: string;
  definition: string;
  definitionVersion: number;
  state: SagaState;
  data: unknown;
  results: Results;
  /** The span of the saga itself: what happens to it is caused by it, wherever and whenever that is. */
  traceparent: string;
  /** The span that began the saga. Without tracing there is none. */
  parentSpan?: string;
  /** Counts the transitions. It is also the sequence number of the newest one in the history. */
  version: number;
  /** When it last moved, by the monotonic clock of this process (`performance.now()`). For durations only. */
  movedAtMs: number;
  /** When it began, by the same clock. */
  beganAtMs: number;
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
  held: StoredHold | null;
  awaited: AwaitedCommand | null;
  data: unknown;
  results: Results;
  traceparent: string;
  parent_span: string | null;
  version: number;
  age_ms: number;
  begun_ms: number;
}

/** So that the participant, whose clock may be another one, has decided when the saga asks again. */
const WAIT_GRACE_MS = 5_000;
/** Bank transfers take a week. Whoever needs longer is asked in between, and says so. */
const MAX_WAIT_MS = 8 * 24 * 60 * 60 * 1_000;

export const HISTORY_PRIMARY_KEY = 'saga_history_pkey';

/** Locks the sagas in key order, so that two replicas with overlapping batches cannot deadlock. */
export async function lockSagas(tx: Tx, ids: readonly string[]): Promise<SagaRow[]> {
  if (ids.length === 0) return [];
  return (await tx.query<StoredSaga>(selectForUpdate, [ids])).map(rowOf);
}

/** To look at, without a lock. */
export async function readRow(from: Pick<Tx, 'query'>, id: string): Promise<SagaRow | undefined> {
  return (await from.query<StoredSaga>(selectRow, [id])).map(rowOf)[0];
}

function rowOf(row: StoredSaga): SagaRow {
  return {
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
      ...knownHold(row),
      ...knownCommand(row),
    },
    data: row.data,
    results: row.results,
    traceparent: row.traceparent,
    parentSpan: row.parent_span ?? undefined,
    version: row.version,
    movedAtMs: performance.now() - row.age_ms,
    beganAtMs: performance.now() - row.begun_ms,
  };
}

/**
 * `deadlinesMs` has one value for each of `sagas`, in the same order. It is counted from now; null means no deadline.
 */
export function insertSagas(tx: Tx, sagas: readonly SagaRow[], deadlinesMs: readonly (number | null)[]): void {
  if (sagas.length === 0) return;
  const rows = sagas.map(({ id, definition, definitionVersion, state, data, traceparent, parentSpan }, index) => ({
    id,
    definition,
    definition_version: definitionVersion,
    step: state.step,
    deadline_ms: deadlinesMs[index],
    data: data as object,
    traceparent,
    attempt: state.attempt,
    held: storedHold(state, 1),
    parent_span: parentSpan,
  }));
  tx.send(insertRows, [rowsOf(rows)]);
}

/** The `traceparent` of this saga. */
export async function findTrace(tx: Tx, id: string): Promise<string | undefined> {
  const [row] = await tx.query<{ traceparent: string }>(selectTrace, [id]);
  return row?.traceparent;
}

/**
 * Saves in key order. The rows may or may not be locked by this transaction. If somebody else has already made a
 * version, the key of the history fails the transaction.
 * A saga that waits has its deadline at the end of its wait. While a saga is held, its deadline is kept and not looked at; at
 * the end of the hold it is moved on by the time of the hold. Without a new deadline, a saga keeps its deadline, unless its status changes: then nothing is awaited any more. What
 * `secretsOf` names is erased from the data of a saga that has ended. `parkedReasons` has why those are
 * parked that were parked now; one that stays parked keeps its reason.
 */
export function saveSagas(
  tx: Tx,
  sagas: readonly SagaRow[],
  deadlinesMs: readonly (number | null)[],
  secretsOf: (saga: SagaRow) => readonly string[],
  parkedReasons: ReadonlyMap<string, string> = new Map(),
): void {
  if (sagas.length === 0) return;
  const rows = sagas.map((saga, index) => ({
    id: saga.id,
    status: saga.state.status,
    step: saga.state.step,
    action: saga.state.action,
    attempt: saga.state.attempt,
    reason: saga.state.reason,
    parked_reason: parkedReasons.get(saga.id),
    cancel_requested: saga.state.cancelRequested,
    waiting: storedWait(saga.state),
    held: storedHold(saga.state, saga.version),
    awaited: awaitedCommand(saga.state),
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

/** The hold in the column, with its beginning if it begins now. */
function startedHold(column: string): string {
  return `case when ${column} is not null then jsonb_build_object('since', now()) || ${column} end`;
}

const columns = `
    id, definition, definition_version, status, step, action, attempt, reason, cancel_requested, waiting, held, awaited,
    data, results, traceparent, parent_span, version, (extract(epoch from now() - updated_at) * 1000)::int8 as age_ms,
    (extract(epoch from now() - created_at) * 1000)::int8 as begun_ms`;

const selectForUpdate: Statement = {
  name: 'saga.select-for-update',
  text: `select ${columns} from saga where id = any($1::uuid[]) order by id for update`,
};

const selectRow: Statement = {
  name: 'saga.select-row',
  text: `select ${columns} from saga where id = $1::uuid`,
};

const insertRows: Statement = {
  name: 'saga.insert',
  text: `
    insert into saga (id, definition, definition_version, status, step, action, attempt, deadline_at, data, traceparent,
                      parent_span, version, held)
    select id, definition, definition_version, 'running', step, 'do', attempt, now() + deadline_ms * interval '1 millisecond',
           data, traceparent, parent_span, 1, ${startedHold('held')}
    from jsonb_to_recordset($1::jsonb) as s (
      id uuid, definition text, definition_version int, step text, deadline_ms int, data jsonb, traceparent text,
      parent_span text, attempt int, held jsonb)`,
};

const updateRows: Statement = {
  name: 'saga.update',
  text: `
    update saga s
    set status = u.status, step = u.step, action = u.action, attempt = u.attempt, reason = u.reason,
        parked_reason = case when u.status = 'parked' then coalesce(u.parked_reason, s.parked_reason) end,
        cancel_requested = u.cancel_requested, waiting = u.waiting, awaited = u.awaited, held = ${startedHold('u.held')},
        deadline_at = case when u.waiting ? 'until'
                             then least(greatest((u.waiting ->> 'until')::timestamptz, now()) + $2 * interval '1 millisecond',
                                        now() + $3 * interval '1 millisecond')
                           when u.deadline_ms is null and s.status = u.status then
                             case when u.held is null and (s.held ->> 'version')::int = s.version
                                    then s.deadline_at + (now() - (s.held ->> 'since')::timestamptz)
                                  else s.deadline_at end
                           else now() + u.deadline_ms * interval '1 millisecond' end,
        results = u.results, version = u.version, updated_at = now(), data = s.data - u.erased
    from jsonb_to_recordset($1::jsonb) as u (
      id uuid, status text, step text, action text, attempt int, reason text, parked_reason text,
      cancel_requested bool, waiting jsonb, held jsonb, awaited jsonb, deadline_ms int,
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

const selectTrace: Statement = { name: 'saga.select-trace', text: `select traceparent from saga where id = $1::uuid` };
