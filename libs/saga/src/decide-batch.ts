/** `decide` for the sagas of a batch, with all that the engine has to write and send afterwards. It does no I/O. */
import type { Command, Commands } from './commands';
import { decide, start } from './decide';
import type { Results, SagaDefinition } from './definition';
import type { SagaDefinitions } from './saga-definitions';
import type { Decided, Ignored, NextAction, SagaEvent, SagaState, Transition } from './saga-state';
import type { SagaRow } from './saga.repository';

export interface NewSaga<Data> {
  id: string;
  definition: SagaDefinition<Data>;
  data: Data;
  traceparent: string;
}

/** One transition of one saga. */
export interface SagaChange {
  saga: SagaRow;
  before?: SagaState;
  transition: Transition;
  /** Milliseconds since the transition before this one. */
  durationMs: number;
  send?: Command;
  /** What the customer has to do, when the saga waits for that now. A secret: it is in no log and no history. */
  nextAction?: NextAction;
}

export interface Incoming {
  sagaId: string;
  event: SagaEvent;
  tenant?: string;
}

/** The reason why an event moves nothing, including reasons that come before `decide`. */
export type NotMoved = Ignored | 'unknown-saga' | 'unknown-version';

export interface DecidedBatch {
  changes: SagaChange[];
  /** The newest row of each saga that moved. */
  rows: Map<string, SagaRow>;
  /** Counted from now. Null where nothing is awaited any more, and absent where the deadline stays. */
  deadlinesMs: Map<string, number | null>;
  ignored: (Incoming & { reason: NotMoved })[];
}

/** What a decision needs besides the sagas themselves. */
export interface Deciding {
  definitions: SagaDefinitions;
  commands: Commands;
}

export function beginOne<Data>(
  { commands }: Pick<Deciding, 'commands'>,
  { id, definition, data, traceparent }: NewSaga<Data>,
): { change: SagaChange; deadlineMs: number | null } {
  const { state, transition, send } = start(definition);
  const saga: SagaRow = {
    id,
    definition: definition.name,
    definitionVersion: definition.version,
    state,
    data,
    results: {},
    traceparent,
    version: 1,
    movedAtMs: performance.now(),
  };
  const change = { saga, transition, durationMs: 0, send: send && commands.of(definition, saga, send) };
  return { change, deadlineMs: send?.deadlineMs ?? null };
}

/** Decides the events one after the other. Each event sees the results of the ones before it. */
export function decideBatch(
  deciding: Deciding,
  known: ReadonlyMap<string, SagaRow>,
  batch: readonly Incoming[],
): DecidedBatch {
  const decided: DecidedBatch = { changes: [], rows: new Map(), deadlinesMs: new Map(), ignored: [] };
  for (const incoming of batch) {
    const row = decided.rows.get(incoming.sagaId) ?? known.get(incoming.sagaId);
    decideOne(deciding, decided, row, incoming);
  }
  return decided;
}

function decideOne(
  { definitions, commands }: Deciding,
  decided: DecidedBatch,
  row: SagaRow | undefined,
  incoming: Incoming,
): void {
  const definition = row && definitions.of(row);
  if (!row || !definition) {
    decided.ignored.push({ ...incoming, reason: row ? 'unknown-version' : 'unknown-saga' });
    return;
  }
  const decision = isFromAnother(definition, row, incoming.event)
    ? ({ ignored: 'foreign' } as const)
    : decide(definition, row.state, incoming.event);
  if ('ignored' in decision) {
    decided.ignored.push({ ...incoming, reason: decision.ignored });
    return;
  }
  const { state, transition, send } = decision;
  const saga = { ...moved(row, incoming.event), state };
  decided.changes.push({
    saga,
    before: row.state,
    transition,
    durationMs: Math.max(0, Math.round(saga.movedAtMs - row.movedAtMs)),
    send: send && commands.of(definition, saga, send),
    nextAction: state.waiting && nextActionIn(incoming.event),
  });
  decided.rows.set(row.id, saga);
  const deadlineMs = deadlineOf(decision, row.state);
  if (deadlineMs !== undefined) decided.deadlinesMs.set(row.id, deadlineMs);
}

const nextActionIn = (event: SagaEvent): NextAction | undefined =>
  event.type === 'replied' && event.outcome === 'waiting' ? event.waiting.nextAction : undefined;

/** Only the participant that was asked can know the outcome, and news of one tenant is none for another. */
function isFromAnother({ steps }: SagaDefinition<never>, { data }: SagaRow, event: SagaEvent): boolean {
  if (event.type === 'hinted') return event.tenant !== (data as { tenant?: string }).tenant;
  if (event.type !== 'replied' || event.from === undefined) return false;
  const asked = steps.find(({ name }) => name === event.step)?.[event.action];
  return asked !== undefined && asked.command.mailbox !== event.from;
}

/** The row with the next version, and with the result of the reply. */
function moved(row: SagaRow, event: SagaEvent): SagaRow {
  return { ...row, version: row.version + 1, movedAtMs: performance.now(), results: resultsAfter(row.results, event) };
}

function deadlineOf({ state, send }: Decided, before: SagaState): number | null | undefined {
  if (send) return send.deadlineMs;
  return state.status === before.status ? undefined : null;
}

/** Later commands may use only the results of successful steps. What was refused or undone did not happen. */
export function resultsAfter(results: Results, event: SagaEvent): Results {
  if (event.type !== 'replied' || event.action !== 'do' || event.outcome !== 'succeeded') return results;
  return event.result ? { ...results, [event.step]: event.result } : results;
}
