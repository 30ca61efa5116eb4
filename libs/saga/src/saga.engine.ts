/**
 * The transaction around `decide`: recall or lock the sagas of a batch, decide, save, append history, commit, then send.
 * Only an early command leaves before that (`goesEarly`).
 *
 * The saga row is its own outbox. A command that is lost after the commit is sent again when its deadline passes, with
 * the same id, until its reply has been committed; so nothing here waits for the broker.
 */
import { MAILBOX_LANE, type Message, type Publisher, Reply } from '@shop/messaging';
import { counter, histogram, type Logger, traceIdOf } from '@shop/observability';
import { type Database, isPassing, isUniqueViolation, Lane, type Tx } from '@shop/postgres';
import { validate } from '@shop/problem';
import { parseCommandId } from './command-id';
import { Commands } from './commands';
import { decide } from './decide';
import {
  beginOne,
  Book,
  decideAll,
  type Incoming,
  type Moved,
  type NewSaga,
  type NotMoved,
  type SagaChange,
} from './decide-all';
import type { SagaDefinition } from './definition';
import { earlyStepBehind, isAwaitedFirst } from './early';
import { SagaMemory } from './saga-memory';
import type { SagaEvent } from './saga-state';
import { appendHistory, HISTORY_PRIMARY_KEY, insertSagas, lockSagas, saveSagas, type SagaRow } from './saga.repository';

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
  private readonly lane: Lane<Incoming, NotMoved | undefined>;
  private readonly memory = new SagaMemory();
  private readonly book: Book;
  private sendsEarly = true;

  constructor(private readonly options: SagaEngineOptions) {
    const { service, publisher, definitions } = options;
    this.book = new Book(definitions, new Commands(service, publisher.replica), (saga) => this.memory.heardOf(saga));
    this.lane = new Lane({ ...MAILBOX_LANE, run: (batch) => this.write(batch) });
  }

  /** The definitions that this replica can drive, as `name v1`; sagas of others are left to those who know them. */
  get known(): string[] {
    return this.book.known;
  }

  /** Writes new sagas into the caller's transaction. Hand what it answers to `committed` after the commit. */
  begin<Data>(tx: Tx, sagas: readonly NewSaga<Data>[]): SagaChange[] {
    const decided = sagas.map((saga) => beginOne(this.book, saga));
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

  /**
   * Resolves when what follows from the event has been committed, or has left early; with the reason, if it moved nothing:
   * such an event is counted and dropped. One that works `alone` has failed before: it is not done with before it is written.
   */
  async dispatch(sagaId: string, event: SagaEvent, options: { alone?: boolean } = {}): Promise<NotMoved | undefined> {
    if (!options.alone && this.goesEarly(sagaId, event)) return undefined;
    return this.lane.submit({ sagaId, event }, options);
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
    const moved = await this.decideBatch(tx, new Map(), [{ sagaId, event }]);
    const [ignored] = moved.ignored;
    // Then nothing is written, not even what was heard: nobody would be told of it.
    return ignored ? { ignored: ignored.reason } : { changes: [...moved.changes, ...this.save(tx, moved)] };
  }

  /**
   * Writes the replies that were heard so long ago and are not written, because the next one has not come yet. One that the
   * database cannot take now is kept for the next time; one that it cannot take at all is forgotten, and the saga's deadline
   * asks again, on the way on which failures are counted.
   */
  async writeHeard(olderThanMs: number): Promise<void> {
    const failures: Error[] = [];
    const write = async ({ sagaId, event, heardAt }: Incoming): Promise<void> => {
      try {
        await this.lane.submit({ sagaId, event, heardAt });
      } catch (error) {
        failures.push(error as Error);
        if (!isPassing(error)) this.memory.unhear(sagaId);
      }
    };
    await Promise.all(this.memory.heardBefore(new Date(Date.now() - olderThanMs)).map(write));
    if (failures.length === 0) return;
    this.options.logger.warn({ sagas: failures.length, reason: failures[0]!.message }, 'saga.heard.failed');
  }

  /** From here on nothing leaves early: all that can be written is when this resolves, and what comes is written first. */
  async settle(): Promise<void> {
    this.sendsEarly = false;
    await this.writeHeard(0);
  }

  /**
   * Sends the command that may leave before its cause is written, and keeps the cause in mind: it is written with what
   * comes next (`early.ts` tells why that is safe). Only of sagas that are remembered, and whose command was sent only
   * once; and a reply that has something to tell is shown to the database first, which may not be able to keep it.
   */
  private goesEarly(sagaId: string, event: SagaEvent): boolean {
    const row = this.memory.get(sagaId);
    const definition = row && this.book.definitionOf(row);
    const next = definition && earlyStepBehind(definition, row.state.step);
    if (!next || !this.sendsEarly || event.type !== 'replied' || event.result) return false;
    const decision = decide(definition, row.state, event);
    if ('ignored' in decision || decision.state.step !== next.name || decision.state.action !== 'do') return false;
    const now = new Date();
    if (!isAwaitedFirst(definition, row, now)) return false;
    if (this.memory.heardOf(row)) {
      this.ignore(sagaId, event, 'repeated-or-late');
      return true;
    }
    const command = this.book.commands.of(definition, row, decision.send!);
    if (!this.memory.hear({ sagaId, event, heardAt: now, version: row.version })) return false;
    this.options.publisher.send(command.mailbox, command.message);
    return true;
  }

  private async write(batch: Incoming[]): Promise<(NotMoved | undefined)[]> {
    const ids = batch.map(({ sagaId }) => sagaId);
    const { rows, moved, begun } = await this.options.database.transaction(
      async (tx) => {
        const rows = this.memory.take(ids);
        const moved = await this.decideBatch(tx, rows, batch);
        return { rows, moved, begun: this.save(tx, moved) };
      },
      // Another replica has moved one of them since: run again, and read.
      (error) => isUniqueViolation(error, HISTORY_PRIMARY_KEY),
    );
    for (const row of rows.values()) this.memory.remember(row);
    for (const { sagaId, event, reason, heardAt } of moved.ignored) {
      // It was overtaken: another replica has moved the saga.
      if (heardAt) this.memory.unhear(sagaId);
      this.ignore(sagaId, event, reason);
    }
    this.committed([...moved.changes, ...begun]);
    const reasons = new Map(moved.ignored.map(({ event, reason }) => [event, reason]));
    return batch.map(({ event }) => reasons.get(event));
  }

  /** Writes what was decided; answers the changes of sagas that it began. */
  private save(tx: Tx, { changes, rows, deadlinesMs }: Moved): SagaChange[] {
    if (changes.length === 0) return [];
    const sagas = [...rows.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
    saveSagas(
      tx,
      sagas,
      sagas.map(({ id }) => deadlinesMs.get(id) ?? null),
    );
    appendHistory(tx, changes);
    return this.options.onChange(tx, changes);
  }

  /**
   * Decides a batch. `rows` are the sagas that are remembered; what is not, or does not fit what is, is read and locked, and
   * joins them.
   */
  private async decideBatch(tx: Tx, rows: Map<string, SagaRow>, batch: Incoming[]) {
    const read = new Set<string>();
    let unsure = [...new Set(batch.map(({ sagaId }) => sagaId))].filter((id) => !rows.has(id));
    for (;;) {
      for (const row of await lockSagas(tx, unsure)) rows.set(row.id, row);
      for (const id of unsure) read.add(id);
      const moved = decideAll(this.book, rows, batch);
      unsure = [...new Set(moved.ignored.map(({ sagaId }) => sagaId))].filter((id) => !read.has(id));
      if (unsure.length === 0) return moved;
    }
  }

  private announce({ saga, transition, durationMs, send }: SagaChange): void {
    const { event, step, from, to, attempt, detail } = transition;
    const { logger, publisher, logFields } = this.options;
    transitions.inc({ saga: saga.definition, event, to });
    if (from.endsWith('.do') && event.startsWith('do.')) {
      stepSeconds.observe({ saga: saga.definition, step }, durationMs / 1_000);
    }
    const facts = {
      sagaId: saga.id,
      ...logFields(saga),
      traceId: traceIdOf(saga.traceparent),
      saga: saga.definition,
      seq: saga.version,
      step,
      from,
      to,
      attempt,
      durationMs,
    };
    // The detail comes from elsewhere: it may add to the line, not change what it says.
    const line = detail ? { ...detail, ...facts } : facts;
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
