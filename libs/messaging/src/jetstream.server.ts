/**
 * The Nest transport for JetStream: takes the batches of each mailbox, hands them to the controller that consumes it,
 * sends each reply when it is there, and acknowledges behind the last one.
 *
 * A JetStream message is acknowledged when every message in it has been answered or put away as a dead letter, on the
 * same connection behind the replies. If one of them fails, the whole batch is delivered again later: the others are
 * then answered with their stored reply. A batch that comes back too often is tried message by message
 * (`suspects.ts`).
 *
 * While the service cannot work, the server is paused: it pulls nothing, and what it holds goes to the other replicas.
 */
import type { JsMsg } from '@nats-io/jetstream';
import { type CustomTransportStrategy, type MessageHandler, Server } from '@nestjs/microservices';
import { instant, type Logger } from '@shop/observability';
import { type Backoff, delayOf, RetryableError } from '@shop/resilience';
import type { Broker } from './broker';
import { type Arrival, letterOfBytes } from './dead-letter';
import type { DeadLetters } from './dead-letters';
import { measureReceived, type Outcome } from './consumer-metrics';
import { refuseForged } from './forged';
import { InHand } from './in-hand';
import { deliveryOf, repliesOf } from './mailbox';
import {
  isFromItsSender,
  isMailbox,
  isReplica,
  type Message,
  replaySubjectOf,
  takesReplies,
  UnreadableBatchError,
} from './message';
import type { Publisher } from './publisher';
import { Pulling } from './pulling';
import { readBatch } from './read-batch';
import { ShortWayIn } from './short-way-in';
import { Suspects } from './suspects';
import { ACK_WAIT_MS } from './topology';

/**
 * A batch that is delivered more often than this may hold a message that makes the others fail: each is tried alone.
 */
const TRUSTED_DELIVERIES = 2;
/** How long closing waits for the messages in work. */
const DRAIN_TIMEOUT_MS = 4_000;
/** The pause before other replicas get what this one gives back. */
const GIVE_BACK_MS = 250;
const redelivery: Backoff = { firstMs: 250, maxMs: 10_000, factor: 2 };

export class JetStreamServer extends Server implements CustomTransportStrategy {
  private readonly pulling: Pulling;
  private readonly inHand: InHand;
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
    this.pulling = new Pulling(broker, log);
    this.inHand = new InHand(log);
    this.suspects = new Suspects(deadLetters, log);
  }

  listen(callback: () => void): void {
    for (const [name, handler] of this.messageHandlers) {
      const prepare = async () => {
        await this.deadLetters.start(name);
        this.openShortWay(name, handler);
      };
      this.pulling.start({ name, prepare, take: (message) => void this.take(name, handler, message) });
    }
    // So that work which takes longer than the ack wait is not delivered again.
    this.heartbeat = setInterval(() => this.beat(), ACK_WAIT_MS / 3);
    this.heartbeat.unref();
    callback();
  }

  /** The mailboxes that it should pull from and cannot, with the reason of each. */
  get lostMailboxes(): ReadonlyMap<string, string> {
    return this.pulling.lost;
  }

  /** The mailboxes that it takes messages from. */
  get mailboxes(): string[] {
    return [...this.messageHandlers.keys()].filter((name) => !this.pulling.lost.has(name));
  }

  /** Pulls nothing until `resume`, and gives back what it holds. */
  pause(): void {
    if (this.pulling.isPaused) return;
    this.pulling.pause();
    this.log.warn({ givenBack: this.inHand.giveBack(GIVE_BACK_MS) }, 'messaging.paused');
  }

  resume(): void {
    if (!this.pulling.isPaused || this.closing) return;
    this.pulling.resume();
    this.log.info('messaging.resumed');
  }

  /** Pulls nothing more, and finishes what it holds. */
  stopPulling(): void {
    this.closing = true;
    this.pulling.close();
  }

  /** Stops pulling, lets what is in work finish and acknowledge, then returns. */
  async close(): Promise<void> {
    this.stopPulling();
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
    return this.inHand.size === 0 && [...this.shortWays.values()].every(({ idle }) => idle);
  }

  /** Not before the dead letters are known. Until then, and after closing, senders use the durable mailbox. */
  private openShortWay(name: string, handler: MessageHandler): void {
    if (!takesReplies(name) || this.shortWays.has(name) || this.closing) return;
    const refuses = (messages: readonly Message[]) =>
      this.pulling.isPaused || this.deadLetters.knowsAnyOf(name, messages);
    this.shortWays.set(name, new ShortWayIn(this.broker, this.publisher, { name, handler, refuses }, this.log));
  }

  private beat(): void {
    this.inHand.prolong();
    void this.suspects.renew();
  }

  private async take(mailbox: string, handler: MessageHandler, source: JsMsg): Promise<void> {
    this.inHand.take(mailbox, source);
    const tookAtMs = performance.now();
    let count = 1;
    let outcome: Outcome = 'answered';
    try {
      const { messages, odd } = readBatch(source.string());
      count = messages.length + odd.length;
      if (!isFromItsSender(mailbox, source.subject, messages)) {
        refuseForged(this.log, mailbox, source.subject);
        return source.ack();
      }
      for (const { batch, tenant } of odd)
        await this.deadLetters.putAway(letterOfBytes(Buffer.from(batch), oddOne, arrivalOf(mailbox, source), tenant));
      if (this.isSuspect(mailbox, source, messages)) return await this.trySuspects(mailbox, handler, source, messages);
      const { promises } = await repliesOf(
        handler,
        messages.map((message) => deliveryOf(mailbox, message, false)),
      );
      // No reply waits for those of others: one of them may come from a slow provider.
      const replying = promises.map(async (promise, index) => {
        const reply = await promise.finally(() => this.inHand.moved(source));
        const unsent = this.reply(messages[index]!, reply);
        if (unsent) throw unsent;
      });
      const failures = (await Promise.allSettled(replying)).filter((result) => result.status === 'rejected');
      if (failures.length > 0) throw failures[0]!.reason;
      await this.acknowledge(mailbox, source, messages);
    } catch (error) {
      if (error instanceof UnreadableBatchError) await this.putAwayWhole(mailbox, source, error);
      else {
        outcome = 'returned';
        this.giveBack(mailbox, source, error);
      }
    } finally {
      this.inHand.letGo(source);
      measureReceived({ mailbox, way: 'stream', outcome, count, tookAtMs });
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
        const { promises } = await repliesOf(handler, [deliveryOf(mailbox, message, true)]);
        this.inHand.moved(source);
        const unsent = this.reply(message, await promises[0]);
        if (unsent) throw unsent;
      },
    );
    if (failures.length > 0) throw failures[0];
    await this.acknowledge(mailbox, source, messages);
  }

  /** Returns the reason if the reply cannot be sent. */
  private reply({ replyto, replica }: Message, reply: Message | undefined): Error | undefined {
    if (!replyto || !reply) return undefined;
    if (!isMailbox(replyto)) return new Error('the reply cannot be sent: its replyto is no mailbox');
    this.publisher.send(replyto, reply, isReplica(replica) ? replica : undefined);
    return undefined;
  }

  private acknowledge(mailbox: string, source: JsMsg, messages: readonly Message[]): Promise<void> {
    return new Promise<void>((resolve) =>
      this.publisher.whenSent(() => {
        // Now, not in a later turn: it leaves in the same packet as the replies.
        instant('ack.before', messages);
        source.ack();
        this.suspects.noteSuccess(mailbox);
        instant('ack.after', messages);
        resolve();
      }),
    );
  }

  private async putAwayWhole(mailbox: string, source: JsMsg, error: UnreadableBatchError): Promise<void> {
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

const oddOne = new UnreadableBatchError('it is no CloudEvent of ours, or is nested too deeply');

const arrivalOf = (mailbox: string, { info, time }: JsMsg): Arrival => ({
  mailbox,
  deliveries: info.deliveryCount,
  firstSeenAt: time,
});

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
