/** `decide` for the sagas of a batch, with what the engine has to write and to send afterwards. Nothing is read or written. */
import type { Command, Commands } from './commands';
import { decide, start } from './decide';
import type { SagaDefinition } from './definition';
import { impliedBy } from './early';
import type { Decided, Ignored, SagaEvent, SagaState, Transition } from './saga-state';
import type { SagaRow } from './saga.repository';

export interface NewSaga<Data> {
  id: string;
  definition: SagaDefinition<Data>;
  data: Data;
  traceparent: string;
}

/** One transition of one saga, as it was committed. */
export interface SagaChange {
  saga: SagaRow;
  before?: SagaState;
  transition: Transition;
  /** Milliseconds since the transition before this one. */
  durationMs: number;
  send?: Command;
}

export interface Incoming {
  sagaId: string;
  event: SagaEvent;
  /** Since when it is known; the command that follows from it has left already. */
  heardAt?: Date;
}

/** Why an event moves nothing here, if not for what the definition says. */
export type NotMoved = Ignored | 'unknown-saga' | 'unknown-version';

export interface Moved {
  changes: SagaChange[];
  /** The newest of each saga that moved. */
  rows: Map<string, SagaRow>;
  /** From now; null where nothing is awaited any more, and absent where the deadline stays. */
  deadlinesMs: Map<string, number | null>;
  ignored: (Incoming & { reason: NotMoved })[];
}

/** What this replica knows of sagas: their definitions, how to make their commands, and what it has heard and not written. */
export class Book {
  private readonly definitions: Map<string, SagaDefinition<never>>;

  constructor(
    definitions: readonly SagaDefinition<never>[],
    readonly commands: Commands,
    readonly heardOf: (saga: SagaRow) => Incoming | undefined,
  ) {
    this.definitions = new Map(definitions.map((one) => [nameOf(one.name, one.version), one]));
  }

  /** As `name v1`. */
  get known(): string[] {
    return [...this.definitions.keys()];
  }

  definitionOf(saga: SagaRow): SagaDefinition<never> | undefined {
    return this.definitions.get(nameOf(saga.definition, saga.definitionVersion));
  }

  changeOf(saga: SagaRow, before: SagaRow | undefined, { transition, send }: Decided): SagaChange {
    return {
      saga,
      before: before?.state,
      transition,
      durationMs: before ? saga.updatedAt.getTime() - before.updatedAt.getTime() : 0,
      send: send && this.commands.of(this.definitionOf(saga)!, saga, send),
    };
  }
}

export function beginOne<Data>(book: Book, { id, definition, data, traceparent }: NewSaga<Data>) {
  const decision = start(definition);
  const row: SagaRow = {
    id,
    definition: definition.name,
    definitionVersion: definition.version,
    state: decision.state,
    data,
    traceparent,
    version: 1,
    updatedAt: new Date(),
  };
  return { change: book.changeOf(row, undefined, decision), deadlineMs: decision.send?.deadlineMs ?? null };
}

/** Decides the events one after the other; each sees what the ones before it did. */
export function decideAll(book: Book, known: ReadonlyMap<string, SagaRow>, batch: readonly Incoming[]): Moved {
  const moved: Moved = { changes: [], rows: new Map(), deadlinesMs: new Map(), ignored: [] };
  const now = new Date();
  const rowOf = (sagaId: string): SagaRow | undefined => moved.rows.get(sagaId) ?? known.get(sagaId);
  for (const incoming of batch) {
    const first = firstOf(book, rowOf(incoming.sagaId), incoming, now);
    if (first) decideOne(book, moved, rowOf(incoming.sagaId), first, now);
    decideOne(book, moved, rowOf(incoming.sagaId), incoming, now);
  }
  return moved;
}

/** What was heard and not written; or what this reply proves: then somebody has heard it, and sent what is answered here. */
function firstOf(book: Book, row: SagaRow | undefined, incoming: Incoming, now: Date): Incoming | undefined {
  const definition = row && book.definitionOf(row);
  if (!definition || incoming.heardAt) return undefined;
  const heard = book.heardOf(row);
  if (heard) return heard;
  const implied = impliedBy(definition, row.state, incoming.event);
  return implied && { sagaId: row.id, event: implied, heardAt: now };
}

function decideOne(book: Book, moved: Moved, row: SagaRow | undefined, incoming: Incoming, now: Date): void {
  const { sagaId, event, heardAt } = incoming;
  const definition = row && book.definitionOf(row);
  if (!row || !definition) {
    moved.ignored.push({ ...incoming, reason: row ? 'unknown-version' : 'unknown-saga' });
    return;
  }
  const decision = decide(definition, row.state, event);
  if ('ignored' in decision) {
    moved.ignored.push({ ...incoming, reason: decision.ignored });
    return;
  }
  // What has moved since it was heard is not dated back behind that.
  const updatedAt = heardAt && heardAt > row.updatedAt ? heardAt : now;
  const next = { ...row, state: decision.state, version: row.version + 1, updatedAt };
  moved.changes.push(book.changeOf(next, row, heardAt ? { ...decision, send: undefined } : decision));
  moved.rows.set(sagaId, next);
  if (decision.send) moved.deadlinesMs.set(sagaId, decision.send.deadlineMs);
  else if (decision.state.status !== row.state.status) moved.deadlinesMs.set(sagaId, null);
}

const nameOf = (definition: string, version: number): string => `${definition} v${version}`;
