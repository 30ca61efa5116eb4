/**
 * The transaction around `decide`: take the sagas of a batch from memory or lock them, decide, save, append history,
 * commit, then send.
 *
 * The row of a saga is its own outbox. A command that is lost after the commit is sent again, with the same id, each
 * time its deadline passes, until its reply has been committed. So nothing here waits for the broker.
 */
import { commandMailbox, MAILBOX_LANE, type Message, type Publisher, Reply, tenantOf } from '@shop/messaging';
import { counter, foreignFields, histogram, type Logger, traceIdOf } from '@shop/observability';
import { type Database, isUniqueViolation, Lane, type Tx } from '@shop/postgres';
import { validate } from '@shop/validation';
import { parseCommandId } from './command-id';
import { Commands } from './commands';
import {
  beginOne,
  type DecidedBatch,
  decideBatch,
  type Deciding,
  type Incoming,
  type NewSaga,
  type NotMoved,
  type SagaChange,
} from './decide-batch';
import type { SagaDefinition } from './definition';
import type { OpenSagas } from './open-sagas';
import { isActOfOperator } from './operator';
import { SagaDefinitions } from './saga-definitions';
import { outcomeOf } from './reply-outcome';
import { SagaMemory } from './saga-memory';
import type { SagaEvent } from './saga-state';
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
  /** Is told of the sagas that begin and end. */
  open?: Pick<OpenSagas, 'note'>;
  /** Ids that every log line of this saga should have, such as the id of the order. */
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

export interface DispatchOptions {
  tenant?: string;
  alone?: boolean;
}

export class SagaEngine {
  private readonly lane: Lane<Incoming, NotMoved | undefined>;
  private readonly memory = new SagaMemory();
  private readonly deciding: Deciding;

  constructor(private readonly options: SagaEngineOptions) {
    const { service, publisher, definitions } = options;
    this.deciding = {
      definitions: new SagaDefinitions(definitions),
      commands: new Commands(service, publisher.replica),
    };
    this.lane = new Lane({ ...MAILBOX_LANE, turnOf: ({ tenant }) => tenant ?? '', run: (batch) => this.write(batch) });
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
    const begun = sagas.map((saga) => beginOne(this.deciding, saga));
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
    return this.lane.submit({ sagaId, event, tenant }, { alone });
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
    await this.dispatch(
      sagaId,
      { type: 'replied', from: commandMailbox(message.source), step, action, ...outcomeOf(reply.value) },
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
    const decided = await this.decide(tx, new Map(), [{ sagaId, event }]);
    this.save(tx, decided);
    return decided.ignored[0]?.reason;
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
    );
    this.record(tx, changes);
    this.options.onChange(tx, changes);
  }

  /** Writes the changes to the history. After the commit, they go to the memory, the broker and the log. */
  private record(tx: Tx, changes: readonly SagaChange[]): void {
    appendHistory(tx, changes);
    tx.afterCommit(() => {
      for (const change of changes) {
        this.memory.remember(change.saga);
        if (change.send) this.options.publisher.send(change.send.mailbox, change.send.message);
        this.log(change);
      }
      this.options.open?.note(changes);
    });
  }

  private log({ saga, transition, durationMs }: SagaChange): void {
    const { event, step, from, to, attempt, detail } = transition;
    const { logger, logFields } = this.options;
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
    // The detail comes from another service. It may add some fields to the line, but not change them. What an operator
    // wrote may name people, so only the history has it, where it can be erased.
    const told = detail && (isActOfOperator(event) ? { by: detail['by'] } : foreignFields(detail));
    const line = { ...told, ...facts };
    // The saga was parked before, so this is no reason for an error line, which may call a person.
    if (to === 'parked' && from !== 'parked') logger.error(line, `saga.${event}`);
    else logger.info(line, `saga.${event}`);
  }
}
