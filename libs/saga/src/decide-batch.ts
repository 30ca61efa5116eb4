/** `decide` for the sagas of a batch, with all that the engine has to write and send afterwards. It does no I/O. */
import type { Command, Commands } from './commands';
import { decide, start } from './decide';
import type { Results, SagaDefinition } from './definition';
import { type HoldOf, noHolds } from './hold';
import type { SagaDefinitions } from './saga-definitions';
import type { Decided, Ignored, NextAction, SagaEvent, SagaState, Transition } from './saga-state';
import type { SagaRow } from './saga.repository';

export interface NewSaga<Data> {
  id: string;
  definition: SagaDefinition<Data>;
  data: Data;
  /** The trace that it belongs to. With tracing, the saga becomes a span of it. */
  traceparent: string;
  /** The span that the saga itself is a child of. The engine fills it in. */
  parentSpan?: string;
  /** What has begun it, if that is in another trace. */
  cause?: string;
}

/** One transition of one saga. */
export interface SagaChange {
  saga: SagaRow;
  before?: SagaState;
  transition: Transition;
  /** Milliseconds since the transition before this one. */
  durationMs: number;
  send?: Command;
  /** The span that has caused it, as a `traceparent`. Without one, it is the saga itself. */
  cause?: string;
  /** What the customer has to do, when the saga waits for that now. A secret: it is in no log and no history. */
  nextAction?: NextAction;
}

export interface Incoming {
  sagaId: string;
  event: SagaEvent;
  tenant?: string;
  cause?: string;
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
  /** The steps of the definition that are held in the tenant of the saga. */
  holds?: StepHeld;
}

export interface StepHeld {
  of: (tenant: string, definition: string, step: string) => ReturnType<HoldOf>;
}

/** The holds that concern this saga. */
export function holdsFor(holds: StepHeld | undefined, definition: { name: string }, data: unknown): HoldOf {
  if (!holds) return noHolds;
  return (step) => holds.of((data as { tenant?: string }).tenant ?? '', definition.name, step);
}

export function beginOne<Data>(
  { commands, holds }: Pick<Deciding, 'commands' | 'holds'>,
  { id, definition, data, traceparent, parentSpan, cause }: NewSaga<Data>,
): { change: SagaChange; deadlineMs: number | null } {
  const { state, transition, send } = start(definition, holdsFor(holds, definition, data));
  const now = performance.now();
  const saga: SagaRow = {
    id,
    definition: definition.name,
    definitionVersion: definition.version,
    state,
    data,
    results: {},
    traceparent,
    parentSpan,
    version: 1,
    movedAtMs: now,
    beganAtMs: now,
  };
  const change = { saga, transition, durationMs: 0, send: send && commands.of(definition, saga, send), cause };
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
  { definitions, commands, holds }: Deciding,
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
    : decide(definition, row.state, incoming.event, holdsFor(holds, definition, row.data));
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
    cause: incoming.cause,
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
