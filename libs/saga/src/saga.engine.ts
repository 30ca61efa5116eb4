/**
 * The transaction around `decide`: recall or lock the sagas of a batch, decide, save, append history, commit, then send.
 *
 * The saga row is its own outbox. A command that is lost after the commit is sent again when its deadline passes, with
 * the same id, until its reply has been committed; so nothing here waits for the broker.
 */
import { MAILBOX_LANE, type Message, newMessage, type Publisher, Reply, replyMailbox } from '@shop/messaging';
import { counter, histogram, type Logger, traceIdOf } from '@shop/observability';
import { type Database, isUniqueViolation, Lane, type Tx } from '@shop/postgres';
import { validate } from '@shop/problem';
import { commandId, parseCommandId } from './command-id';
import { decide, start } from './decide';
import type { SagaDefinition } from './definition';
import { SagaMemory } from './saga-memory';
import type { ActionName, Decided, Ignored, SagaEvent, SagaState, Transition } from './saga-state';
import { appendHistory, HISTORY_PRIMARY_KEY, insertSagas, lockSagas, saveSagas, type SagaRow } from './saga.repository';

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
  send?: { mailbox: string; message: Message };
}

export interface SagaEngineOptions {
  /** The service that runs the sagas; replies come to its mailbox. */
  service: string;
  database: Database;
  publisher: Publisher;
  logger: Logger;
  definitions: readonly SagaDefinition<never>[];
  /** Runs in the transaction of the changes; answers the changes of sagas that it began there. */
  onChange: (tx: Tx, changes: readonly SagaChange[]) => SagaChange[];
  /** Runs after the commit. */
  onCommitted?: (changes: readonly SagaChange[]) => void;
  /** Ids that every log line of this saga should carry, such as the order's. */
  logFields: (saga: SagaRow) => Record<string, unknown>;
}

interface Incoming {
  sagaId: string;
  event: SagaEvent;
}

/** Why an event moves nothing here, if not for what the definition says. */
export type NotMoved = Ignored | 'unknown-saga' | 'unknown-version';

const STEP_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60];
const transitions = counter('saga_transitions_total', 'Transitions by saga and event', ['saga', 'event', 'to']);
const ignoredEvents = counter('saga_events_ignored_total', 'Events that moved no saga, by reason', ['reason']);
const stepSeconds = histogram(
  'saga_step_duration_seconds',
  'Time from command to reply',
  ['saga', 'step'],
  STEP_SECONDS,
);

export class SagaEngine {
  private readonly definitions: Map<string, SagaDefinition<never>>;
  private readonly lane: Lane<Incoming, undefined>;
  private readonly memory = new SagaMemory();
  private readonly replyTo: string;

  constructor(private readonly options: SagaEngineOptions) {
    this.definitions = new Map(options.definitions.map((one) => [nameOf(one.name, one.version), one]));
    this.replyTo = replyMailbox(options.service);
    this.lane = new Lane({ ...MAILBOX_LANE, run: (batch) => this.run(batch) });
  }

  /** The definitions that this replica can drive, as `name v1`; sagas of others are left to those who know them. */
  get known(): string[] {
    return [...this.definitions.keys()];
  }

  /** Writes new sagas into the caller's transaction. Hand what it answers to `committed` after the commit. */
  begin<Data>(tx: Tx, sagas: readonly NewSaga<Data>[]): SagaChange[] {
    const updatedAt = new Date();
    const decided = sagas.map(({ id, definition, data, traceparent }) => {
      const decision = start(definition);
      const row: SagaRow = {
        id,
        definition: definition.name,
        definitionVersion: definition.version,
        state: decision.state,
        data,
        traceparent,
        version: 1,
        updatedAt,
      };
      return { change: this.changeOf(row, undefined, decision), deadlineMs: decision.send?.deadlineMs ?? null };
    });
    const changes = decided.map(({ change }) => change);
    insertSagas(
      tx,
      changes.map(({ saga }) => saga),
      decided.map(({ deadlineMs }) => deadlineMs),
    );
    appendHistory(tx, changes);
    return changes;
  }

  /** After the commit: sends the commands, writes the log, tells who listens. */
  committed(changes: readonly SagaChange[]): void {
    for (const change of changes) {
      this.memory.remember(change.saga);
      this.announce(change);
    }
    this.options.onCommitted?.(changes);
  }

  /** Resolves when what follows from the event has been committed. An event that fits nothing is counted and dropped. */
  async dispatch(sagaId: string, event: SagaEvent, options: { alone?: boolean } = {}): Promise<void> {
    await this.lane.submit({ sagaId, event }, options);
  }

  /** Takes a reply from the broker. */
  async receive(message: Message, options: { alone?: boolean } = {}): Promise<void> {
    const command = parseCommandId(message.causationid);
    const reply = validate(Reply, message.data, { unknownProperties: 'drop' });
    if (!command || !reply.ok) {
      this.options.logger.error({ messageId: message.id, type: message.type }, 'saga.reply.unreadable');
      ignoredEvents.inc({ reason: 'unreadable' });
      return;
    }
    const { sagaId, step, action } = command;
    await this.dispatch(sagaId, { type: 'replied', step, action, ...reply.value }, options);
  }

  /**
   * Decides one event inside the caller's transaction, on the row and not on what is remembered of it, so that the
   * caller can be told what is true now. Hand the changes to `committed` after the commit.
   */
  async decideIn(tx: Tx, sagaId: string, event: SagaEvent): Promise<{ changes: SagaChange[] } | { ignored: NotMoved }> {
    const { moved, begun } = await this.moveAll(tx, new Map(), [{ sagaId, event }]);
    const [ignored] = moved.ignored;
    return ignored ? { ignored: ignored.reason } : { changes: [...moved.changes, ...begun] };
  }

  private async run(batch: Incoming[]): Promise<undefined[]> {
    const ids = batch.map(({ sagaId }) => sagaId);
    const { rows, moved, begun } = await this.options.database.transaction(
      (tx) => this.moveAll(tx, this.memory.take(ids), batch),
      // Another replica has moved one of them since: run again, and read.
      (error) => isUniqueViolation(error, HISTORY_PRIMARY_KEY),
    );
    for (const row of rows.values()) this.memory.remember(row);
    for (const { sagaId, event, reason } of moved.ignored) this.ignore(sagaId, event, reason);
    this.committed([...moved.changes, ...begun]);
    return batch.map(() => undefined);
  }

  /** Decides a batch and writes what follows. `rows` are the sagas that are remembered; those that are read join them. */
  private async moveAll(tx: Tx, rows: Map<string, SagaRow>, batch: Incoming[]) {
    const moved = await this.decideBatch(tx, rows, batch);
    if (moved.changes.length === 0) return { rows, moved, begun: [] };
    const sagas = [...moved.rows.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
    saveSagas(
      tx,
      sagas,
      sagas.map(({ id }) => moved.deadlinesMs.get(id) ?? null),
    );
    appendHistory(tx, moved.changes);
    return { rows, moved, begun: this.options.onChange(tx, moved.changes) };
  }

  /** What is not remembered, or does not fit what is, is read and locked. */
  private async decideBatch(tx: Tx, rows: Map<string, SagaRow>, batch: Incoming[]) {
    const read = new Set<string>();
    let unsure = [...new Set(batch.map(({ sagaId }) => sagaId))].filter((id) => !rows.has(id));
    for (;;) {
      for (const row of await lockSagas(tx, unsure)) rows.set(row.id, row);
      for (const id of unsure) read.add(id);
      const moved = this.decideAll(rows, batch);
      unsure = [...new Set(moved.ignored.map(({ sagaId }) => sagaId))].filter((id) => !read.has(id));
      if (unsure.length === 0) return moved;
    }
  }

  /** Decides the events one after the other; each sees what the ones before it did. */
  private decideAll(known: ReadonlyMap<string, SagaRow>, batch: Incoming[]) {
    const changes: SagaChange[] = [];
    const rows = new Map<string, SagaRow>();
    const deadlinesMs = new Map<string, number | null>();
    const ignored: (Incoming & { reason: NotMoved })[] = [];
    const updatedAt = new Date();
    for (const { sagaId, event } of batch) {
      const row = rows.get(sagaId) ?? known.get(sagaId);
      const definition = row && this.definitions.get(nameOf(row.definition, row.definitionVersion));
      if (!row || !definition) {
        ignored.push({ sagaId, event, reason: row ? 'unknown-version' : 'unknown-saga' });
        continue;
      }
      const decision = decide(definition, row.state, event);
      if ('ignored' in decision) {
        ignored.push({ sagaId, event, reason: decision.ignored });
        continue;
      }
      const moved = { ...row, state: decision.state, version: row.version + 1, updatedAt };
      changes.push(this.changeOf(moved, row, decision));
      rows.set(sagaId, moved);
      if (decision.send) deadlinesMs.set(sagaId, decision.send.deadlineMs);
      else if (decision.state.status !== row.state.status) deadlinesMs.set(sagaId, null);
    }
    return { changes, rows, deadlinesMs, ignored };
  }

  private changeOf(saga: SagaRow, before: SagaRow | undefined, { transition, send }: Decided): SagaChange {
    return {
      saga,
      before: before?.state,
      transition,
      durationMs: before ? saga.updatedAt.getTime() - before.updatedAt.getTime() : 0,
      send: send && this.commandOf(saga, send.step, send.action, send.attempt),
    };
  }

  private commandOf(saga: SagaRow, stepName: string, actionName: ActionName, attempt: number) {
    const definition = this.definitions.get(nameOf(saga.definition, saga.definitionVersion))!;
    const action = definition.steps.find(({ name }) => name === stepName)![actionName]!;
    const command = action.command;
    const message = newMessage({
      id: commandId(saga.id, stepName, actionName),
      type: command.type,
      source: this.options.service,
      subject: saga.id,
      replyto: this.replyTo,
      // Asked again, it answers the long way: what is lost there, or kills its receiver, is counted.
      replica: attempt === 1 ? this.options.publisher.replica : undefined,
      undoes: actionName === 'undo' ? commandId(saga.id, stepName, 'do') : undefined,
      traceparent: saga.traceparent,
      data: action.body(saga.data as never, saga.id),
    });
    return { mailbox: command.mailbox, message };
  }

  private announce({ saga, transition, durationMs, send }: SagaChange): void {
    const { event, step, from, to, attempt, detail } = transition;
    const { logger, publisher, logFields } = this.options;
    transitions.inc({ saga: saga.definition, event, to });
    if (from.endsWith('.do') && event.startsWith('do.')) {
      stepSeconds.observe({ saga: saga.definition, step }, durationMs / 1_000);
    }
    const ids = { sagaId: saga.id, ...logFields(saga), traceId: traceIdOf(saga.traceparent) };
    // The detail comes from elsewhere and goes first: it may add to the line, not change what it says.
    const line = { ...detail, ...ids, saga: saga.definition, seq: saga.version, step, from, to, attempt, durationMs };
    // What happens to a saga that is parked already is no news for who is called by an error.
    if (to === 'parked' && from !== 'parked') logger.error(line, `saga.${event}`);
    else logger.info(line, `saga.${event}`);
    if (send) publisher.send(send.mailbox, send.message);
  }

  private ignore(sagaId: string, event: SagaEvent, reason: string): void {
    ignoredEvents.inc({ reason });
    this.options.logger.debug({ sagaId, type: event.type, reason }, 'saga.event.ignored');
  }
}

const nameOf = (definition: string, version: number): string => `${definition} v${version}`;
