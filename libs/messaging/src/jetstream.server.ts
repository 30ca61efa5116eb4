/**
 * The Nest transport for JetStream: pulls the batches of each mailbox, hands them to the controller that consumes it,
 * sends the replies, and only then acknowledges.
 *
 * A JetStream message is acknowledged when every message in it has been answered or put away as a dead letter, on the
 * same connection behind the replies. If one of them fails, the whole batch is delivered again later: the others are
 * then answered with their stored reply. A batch that comes back too often is tried message by message
 * (`suspects.ts`).
 */
import type { ConsumerMessages, JsMsg } from '@nats-io/jetstream';
import { type CustomTransportStrategy, type MessageHandler, Server } from '@nestjs/microservices';
import { gauge, instant, type Logger } from '@shop/observability';
import { type Backoff, delayOf, RetryableError } from '@shop/resilience';
import type { Broker } from './broker';
import { type Arrival, letterOfBytes } from './dead-letter';
import type { DeadLetters } from './dead-letters';
import { repliesOf } from './mailbox';
import {
  decodeBatch,
  isMailbox,
  isReplica,
  type Message,
  replaySubjectOf,
  takesReplies,
  UnreadableBatchError,
} from './message';
import type { Publisher } from './publisher';
import { ShortWayIn } from './short-way-in';
import { Suspects } from './suspects';
import { ACK_WAIT_MS, ensureConsumer } from './topology';

/** JetStream messages (each a batch) asked for ahead. */
const PULL_MESSAGES = 64;
const PULL_EXPIRES_MS = 5_000;
const RECOVER_WAIT_MS = 250;
/**
 * A batch that is delivered more often than this may hold a message that makes the others fail: each is tried alone.
 */
const TRUSTED_DELIVERIES = 2;
/** How long closing waits for the messages in work. */
const DRAIN_TIMEOUT_MS = 10_000;
const redelivery: Backoff = { firstMs: 250, maxMs: 10_000, factor: 2 };

const inFlight = gauge('messaging_messages_in_flight', 'JetStream messages taken and not yet acknowledged');

export class JetStreamServer extends Server implements CustomTransportStrategy {
  private readonly pulls = new Set<ConsumerMessages>();
  private readonly working = new Set<JsMsg>();
  private readonly suspects: Suspects;
  private readonly shortWays = new Map<string, ShortWayIn>();
  private heartbeat?: NodeJS.Timeout;
  private closing = false;

  constructor(
    private readonly broker: Broker,
    private readonly publisher: Publisher,
    private readonly deadLetters: DeadLetters,
    private readonly log: Logger,
  ) {
    super();
    this.suspects = new Suspects(deadLetters, log);
  }

  listen(callback: () => void): void {
    for (const [mailbox, handler] of this.messageHandlers) void this.consume(mailbox, handler);
    // So that work which takes longer than the ack wait is not delivered again.
    this.heartbeat = setInterval(() => this.beat(), ACK_WAIT_MS / 3);
    this.heartbeat.unref();
    callback();
  }

  /** Stops pulling, lets what is in work finish and acknowledge, then returns. */
  async close(): Promise<void> {
    this.closing = true;
    for (const pull of this.pulls) pull.stop();
    for (const way of this.shortWays.values()) way.close();
    const deadline = performance.now() + DRAIN_TIMEOUT_MS;
    while (!this.isIdle && performance.now() < deadline) await pause(10);
    clearInterval(this.heartbeat);
    this.deadLetters.stop();
  }

  on(): void {
    throw new Error('this transport has no events of its own');
  }

  unwrap<T>(): T {
    return this.broker.nats as T;
  }

  private get isIdle(): boolean {
    return this.working.size === 0 && [...this.shortWays.values()].every(({ idle }) => idle);
  }

  /** Not before the dead letters are known. Until then, and after closing, senders use the durable mailbox. */
  private openShortWay(name: string, handler: MessageHandler): void {
    if (!takesReplies(name) || this.shortWays.has(name) || this.closing) return;
    const knowsAnyOf = (messages: readonly Message[]) => this.deadLetters.knowsAnyOf(name, messages);
    this.shortWays.set(name, new ShortWayIn(this.broker, this.publisher, { name, handler, knowsAnyOf }, this.log));
  }

  private beat(): void {
    for (const message of this.working) message.working();
    void this.suspects.renew();
  }

  /** Pulls until it is closed; a consumer or stream that the broker has lost is created again. */
  private async consume(mailbox: string, handler: MessageHandler): Promise<void> {
    while (!this.closing) {
      try {
        await this.deadLetters.start(mailbox);
        this.openShortWay(mailbox, handler);
        const { stream, durable } = await ensureConsumer(await this.broker.manager(), mailbox);
        const consumer = await this.broker.jetstream().consumers.get(stream, durable);
        const pull = await consumer.consume({
          max_messages: PULL_MESSAGES,
          expires: PULL_EXPIRES_MS,
          abort_on_missing_resource: true,
        });
        this.pulls.add(pull);
        // If it was closed while the consumer was being created, nobody else stops this pull.
        if (this.closing) pull.stop();
        try {
          for await (const message of pull) void this.take(mailbox, handler, message);
        } finally {
          this.pulls.delete(pull);
        }
      } catch (error) {
        if (!this.closing) this.log.warn({ mailbox, reason: (error as Error).message }, 'messaging.consumer.lost');
      }
      if (!this.closing) await pause(RECOVER_WAIT_MS);
    }
  }

  private async take(mailbox: string, handler: MessageHandler, source: JsMsg): Promise<void> {
    this.working.add(source);
    inFlight.inc();
    try {
      const messages = decodeBatch(source.string());
      if (this.isSuspect(mailbox, source, messages)) return await this.trySuspects(mailbox, handler, source, messages);
      const { promises } = await repliesOf(
        handler,
        messages.map((message) => ({ message, suspect: false })),
      );
      const done = await Promise.allSettled(promises);
      const failures = done.flatMap((result, index): unknown[] => {
        if (result.status === 'rejected') return [result.reason];
        const unsent = this.reply(messages[index]!, result.value);
        return unsent ? [unsent] : [];
      });
      if (failures.length > 0) throw failures[0];
      await this.acknowledge(source, messages);
    } catch (error) {
      if (error instanceof UnreadableBatchError) await this.putAway(mailbox, source, error);
      else this.giveBack(mailbox, source, error);
    } finally {
      this.working.delete(source);
      inFlight.dec();
    }
  }

  /** Delivered too often, replayed by an operator, or with a message that has an open dead letter. */
  private isSuspect(mailbox: string, { info, subject }: JsMsg, messages: readonly Message[]): boolean {
    return (
      info.deliveryCount > TRUSTED_DELIVERIES ||
      subject === replaySubjectOf(mailbox) ||
      this.deadLetters.knowsAnyOf(mailbox, messages)
    );
  }

  private async trySuspects(
    mailbox: string,
    handler: MessageHandler,
    source: JsMsg,
    messages: Message[],
  ): Promise<void> {
    const replayed = source.subject === replaySubjectOf(mailbox);
    const failures = await this.suspects.tryAll(
      { ...arrivalOf(mailbox, source), messages, replayed },
      async (message) => {
        const { promises } = await repliesOf(handler, [{ message, suspect: true }]);
        const unsent = this.reply(message, await promises[0]);
        if (unsent) throw unsent;
      },
    );
    if (failures.length > 0) throw failures[0];
    await this.acknowledge(source, messages);
  }

  /** Returns the reason if the reply cannot be sent. */
  private reply({ replyto, replica }: Message, reply: Message | undefined): Error | undefined {
    if (!replyto || !reply) return undefined;
    if (!isMailbox(replyto)) return new Error('the reply cannot be sent: its replyto is no mailbox');
    this.publisher.send(replyto, reply, isReplica(replica) ? replica : undefined);
    return undefined;
  }

  private acknowledge(source: JsMsg, messages: readonly Message[]): Promise<void> {
    return new Promise<void>((resolve) =>
      this.publisher.whenSent(() => {
        // Now, not in a later turn: it leaves in the same packet as the replies.
        instant('ack.before', messages);
        source.ack();
        instant('ack.after', messages);
        resolve();
      }),
    );
  }

  private async putAway(mailbox: string, source: JsMsg, error: UnreadableBatchError): Promise<void> {
    try {
      await this.deadLetters.putAway(letterOfBytes(source.data, error, arrivalOf(mailbox, source)));
      source.ack();
    } catch (failure) {
      this.giveBack(mailbox, source, failure);
    }
  }

  private giveBack(mailbox: string, source: JsMsg, error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    const asked = error instanceof RetryableError ? error.retryAfterMs : undefined;
    const delayMs = asked ?? delayOf(redelivery, source.info.deliveryCount);
    const line = { mailbox, sequence: source.seq, deliveries: source.info.deliveryCount, delayMs, reason };
    // A RetryableError says "later": that is the protocol, not a fault.
    if (error instanceof RetryableError) this.log.info(line, 'messaging.batch.postponed');
    else this.log.warn(line, 'messaging.batch.failed');
    source.nak(delayMs);
  }
}

const arrivalOf = (mailbox: string, { info, time }: JsMsg): Arrival => ({
  mailbox,
  deliveries: info.deliveryCount,
  firstSeenAt: time,
});

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
