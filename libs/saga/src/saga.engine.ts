/**
 * The transaction around `decide`: take the sagas of a batch from memory or lock them, decide, save, append history,
 * commit, then send.
 *
 * The row of a saga is its own outbox. A command that is lost after the commit is sent again, with the same id, each
 * time its deadline passes, until its reply has been committed. So nothing here waits for the broker.
 */
import { commandMailbox, MAILBOX_LANE, type Message, type Publisher, Reply, tenantOf } from '@shop/messaging';
import { counter, currentSpan, foreignFields, type Logger, type Span } from '@shop/observability';
import { type Database, isUniqueViolation, Lane, type Tx } from '@shop/postgres';
import { validate } from '@shop/validation';
import { parseCommandId } from './command-id';
import { type Command, Commands } from './commands';
import {
  beginOne,
  type DecidedBatch,
  decideBatch,
  type Deciding,
  type Incoming,
  type NewSaga,
  type NotMoved,
  type SagaChange,
  type StepHeld,
} from './decide-batch';
import type { SagaDefinition } from './definition';
import type { OpenSagas } from './open-sagas';
import { isActOfOperator } from './operator';
import { SagaDefinitions } from './saga-definitions';
import { outcomeOf } from './reply-outcome';
import { SagaMemory } from './saga-memory';
import { measureMove } from './saga-metrics';
import { asSpan, idsOf, startMove, writeSpanOf } from './saga-spans';
import type { OperatorEvent, SagaEvent } from './saga-state';
import { appendHistory, HISTORY_PRIMARY_KEY, insertSagas, lockSagas, saveSagas, type SagaRow } from './saga.repository';

export interface SagaEngineOptions {
  /** The service that runs the sagas. Replies come to its mailbox. */
  service: string;
  database: Database;
  publisher: Publisher;
  logger: Logger;
  definitions: readonly SagaDefinition<never>[];
  /** Runs in the transaction of the changes. It may begin more sagas there. */
  onChange: (tx: Tx, changes: readonly SagaChange[]) => void;
  /** The steps that people hold. */
  holds?: StepHeld;
  /** Is told of the sagas that begin and end. */
  open?: Pick<OpenSagas, 'note'>;
  /** Ids that every log line of this saga should have, such as the id of the order. */
  logFields: (saga: SagaRow) => Record<string, unknown>;
}

const ignoredEvents = counter('saga_events_ignored_total', 'Events that moved no saga, by reason', ['reason']);

/** A reason is a code. One of another service that is longer is cut. */
const MAX_REASON_LENGTH = 200;

export interface DispatchOptions {
  tenant?: string;
  alone?: boolean;
}

/** An act on a saga as somebody saw it. */
export interface SeenAct {
  sagaId: string;
  version: number;
  event: OperatorEvent;
  /** Why this act is none for this saga, beside what its definition says. */
  refusedFor?: (saga: SagaRow) => NotMoved | undefined;
}

export class SagaEngine {
  private readonly lane: Lane<Incoming, NotMoved | undefined>;
  private readonly memory = new SagaMemory();
  private readonly deciding: Deciding;

  constructor(private readonly options: SagaEngineOptions) {
    const { service, publisher, definitions, holds } = options;
    this.deciding = {
      definitions: new SagaDefinitions(definitions),
      commands: new Commands(service, publisher.replica),
      holds,
    };
    this.lane = new Lane({
      ...MAILBOX_LANE,
      name: 'saga-events',
      turnOf: ({ tenant }) => tenant ?? '',
      run: (batch) => this.write(batch),
    });
  }

  /**
   * The definitions that this replica can drive, as `name v1`. Sagas of other definitions are left to replicas that
   * know them.
   */
  get known(): string[] {
    return this.deciding.definitions.names;
  }

  /** Writes new sagas in the transaction of the caller. Their first commands leave after its commit. */
  begin<Data>(tx: Tx, sagas: readonly NewSaga<Data>[]): void {
    const begun = sagas.map((saga) => beginOne(this.deciding, asSpan(saga)));
    const changes = begun.map(({ change }) => change);
    insertSagas(
      tx,
      changes.map(({ saga }) => saga),
      begun.map(({ deadlineMs }) => deadlineMs),
    );
    this.record(tx, changes);
  }

  /**
   * Resolves when the results of the event have been committed. If the event moved nothing, it is counted and dropped,
   * and the promise resolves with the reason. Events of several tenants are handled in turn. An event that runs `alone`
   * has failed before.
   */
  dispatch(sagaId: string, event: SagaEvent, { tenant, alone }: DispatchOptions = {}): Promise<NotMoved | undefined> {
    return this.lane.submit({ sagaId, event, tenant, cause: currentSpan()?.traceparent }, { alone });
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
    const { sagaId, ...asked } = command;
    await this.dispatch(
      sagaId,
      { type: 'replied', from: commandMailbox(message.source), ...asked, ...outcomeOf(reply.value) },
      { ...options, tenant: tenantOf(message) },
    );
  }

  /**
   * Takes the news of a participant about one of our commands. It moves nothing but the command, which is sent again:
   * its reply is the truth. News of what is not ours, or not of this tenant, is counted and dropped.
   */
  async hear(commandId: string, tenant: string, { alone }: { alone?: boolean } = {}): Promise<void> {
    const command = parseCommandId(commandId);
    if (command) await this.dispatch(command.sagaId, { type: 'hinted', step: command.step, tenant }, { tenant, alone });
    else ignoredEvents.inc({ reason: 'unreadable' });
  }

  /**
   * Decides one event inside the transaction of the caller. It uses the row and not the memory, so that the caller can
   * be told the current state. If nothing moves, it returns the reason and writes nothing.
   */
  async decideIn(tx: Tx, sagaId: string, event: SagaEvent): Promise<NotMoved | undefined> {
    const decided = await this.decide(tx, new Map(), [{ sagaId, event, cause: currentSpan()?.traceparent }]);
    this.save(tx, decided);
    return decided.ignored[0]?.reason;
  }

  /**
   * Decides acts on sagas that somebody saw at these versions, inside the transaction of the caller. One that has moved
   * since is left alone. Returns for each why it moved nothing.
   */
  async decideSeen(tx: Tx, acts: readonly SeenAct[]): Promise<(NotMoved | undefined)[]> {
    const locked = await lockSagas(
      tx,
      acts.map(({ sagaId }) => sagaId),
    );
    const rows = new Map(locked.map((row) => [row.id, row]));
    const unseen = (act: SeenAct): NotMoved | undefined => {
      const row = rows.get(act.sagaId);
      if (!row) return 'unknown-saga';
      return row.version === act.version ? act.refusedFor?.(row) : 'repeated-or-late';
    };
    const refused = new Map(acts.map((act) => [act, unseen(act)]));
    const decided = decideBatch(
      this.deciding,
      rows,
      acts.filter((act) => refused.get(act) === undefined),
    );
    this.save(tx, decided);
    const ignored = new Map(decided.ignored.map(({ event, reason }) => [event, reason]));
    return acts.map((act) => refused.get(act) ?? ignored.get(act.event));
  }

  private async write(batch: Incoming[]): Promise<(NotMoved | undefined)[]> {
    const ids = batch.map(({ sagaId }) => sagaId);
    const { ignored } = await this.options.database.transaction(
      async (tx) => {
        const rows = this.memory.take(ids);
        const decided = await this.decide(tx, rows, batch);
        tx.afterCommit(() => rows.forEach((row) => this.memory.remember(row)));
        this.save(tx, decided);
        return decided;
      },
      // Another replica has moved one of the sagas since. Run again, and read.
      (error) => isUniqueViolation(error, HISTORY_PRIMARY_KEY),
    );
    for (const { sagaId, event, reason } of ignored) {
      ignoredEvents.inc({ reason });
      this.options.logger.debug({ sagaId, type: event.type, reason }, 'saga.event.ignored');
    }
    const reasons = new Map(ignored.map(({ event, reason }) => [event, reason]));
    return batch.map(({ event }) => reasons.get(event));
  }

  /**
   * Decides a batch. `rows` are the remembered sagas. Other sagas, and those that do not fit their events, are read and
   * locked, and added to `rows`.
   */
  private async decide(tx: Tx, rows: Map<string, SagaRow>, batch: Incoming[]): Promise<DecidedBatch> {
    const read = new Set<string>();
    let unsure = [...new Set(batch.map(({ sagaId }) => sagaId))].filter((id) => !rows.has(id));
    for (;;) {
      for (const row of await lockSagas(tx, unsure)) rows.set(row.id, row);
      for (const id of unsure) read.add(id);
      const decided = decideBatch(this.deciding, rows, batch);
      unsure = [...new Set(decided.ignored.map(({ sagaId }) => sagaId))].filter((id) => !read.has(id));
      if (unsure.length === 0) return decided;
    }
  }

  private save(tx: Tx, { changes, rows, deadlinesMs }: DecidedBatch): void {
    if (changes.length === 0) return;
    const sagas = [...rows.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
    saveSagas(
      tx,
      sagas,
      sagas.map(({ id }) => deadlinesMs.get(id) ?? null),
      (saga) => this.deciding.definitions.of(saga)?.secrets ?? [],
      parkedReasonsIn(changes),
    );
    this.record(tx, changes);
    this.options.onChange(tx, changes);
  }

  /** Writes the changes to the history. After the commit, they go to the memory, the broker and the log. */
  private record(tx: Tx, changes: readonly SagaChange[]): void {
    appendHistory(tx, changes);
    const decidedAtMs = performance.now();
    tx.afterCommit(() => {
      for (const change of changes) {
        this.memory.remember(change.saga);
        const span = startMove(change, decidedAtMs);
        if (change.send) this.send(change.send, span);
        measureMove(change);
        this.log(change, span);
        span?.end();
        writeSpanOf(change);
      }
      this.options.open?.note(changes);
    });
  }

  private send({ mailbox, message }: Command, span: Span | undefined): void {
    this.options.publisher.send(mailbox, span ? { ...message, traceparent: span.traceparent } : message);
  }

  private log({ saga, transition, durationMs }: SagaChange, span: Span | undefined): void {
    const { event, step, from, to, attempt, detail } = transition;
    const { logger, logFields } = this.options;
    const facts = {
      sagaId: saga.id,
      ...logFields(saga),
      ...(span?.ids ?? idsOf(saga)),
      saga: saga.definition,
      seq: saga.version,
      step,
      from,
      to,
      attempt,
      durationMs,
    };
    // The detail comes from another service. It may add some fields to the line, but not change them. What an operator
    // wrote may name people, so only the history has it, where it can be erased.
    const told = detail && (isActOfOperator(event) ? { by: detail['by'] } : foreignFields(detail));
    const line = { ...told, ...facts };
    // The saga was parked before, so this is no reason for an error line, which may call a person.
    if (to === 'parked' && from !== 'parked') logger.error(line, `saga.${event}`);
    else logger.info(line, `saga.${event}`);
  }
}

/** Why sagas were parked in these changes. The newest reason of a saga counts. */
function parkedReasonsIn(changes: readonly SagaChange[]): Map<string, string> {
  const reasons = new Map<string, string>();
  for (const { saga, transition } of changes) {
    const reason = transition.detail?.['parked'];
    if (transition.to === 'parked' && typeof reason === 'string')
      reasons.set(saga.id, reason.slice(0, MAX_REASON_LENGTH));
  }
  return reasons;
}
