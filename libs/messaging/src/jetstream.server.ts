/**
 * The Nest transport for JetStream: pulls the batches of each mailbox, hands them to the controller that consumes it,
 * sends the replies, and only then acknowledges.
 *
 * A JetStream message is acknowledged when every message in it has been answered, on the same connection behind the
 * replies. If one fails, the whole is delivered again later; those already done answer from their stored reply.
 */
import type { ConsumerMessages, JsMsg } from '@nats-io/jetstream';
import { type CustomTransportStrategy, type MessageHandler, Server } from '@nestjs/microservices';
import { gauge, instant, type Logger } from '@shop/observability';
import { type Backoff, delayOf, RetryableError } from '@shop/resilience';
import { isObservable, lastValueFrom } from 'rxjs';
import type { Broker } from './broker';
import { Answers, type Delivery } from './mailbox';
import { decodeBatch, UnreadableBatchError } from './message';
import type { Publisher } from './publisher';
import { ACK_WAIT_MS, ensureConsumer } from './topology';

/** JetStream messages (each a batch) asked for ahead. */
const PULL_MESSAGES = 64;
const PULL_EXPIRES_MS = 5_000;
const RECOVER_WAIT_MS = 250;
/** Deliveries in good company; a batch that comes back more often than this may be what fails the others. */
const TRUSTED_DELIVERIES = 2;
/** How long shutdown waits for the messages in work. */
const DRAIN_TIMEOUT_MS = 10_000;
const redelivery: Backoff = { firstMs: 250, maxMs: 10_000, factor: 2 };

const inFlight = gauge('messaging_messages_in_flight', 'JetStream messages taken and not yet acknowledged');

export class JetStreamServer extends Server implements CustomTransportStrategy {
  private readonly pulls = new Set<ConsumerMessages>();
  private readonly working = new Set<JsMsg>();
  private heartbeat?: NodeJS.Timeout;
  private closing = false;

  constructor(
    private readonly broker: Broker,
    private readonly publisher: Publisher,
    private readonly log: Logger,
  ) {
    super();
  }

  listen(callback: () => void): void {
    for (const [mailbox, handler] of this.messageHandlers) void this.consume(mailbox, handler);
    // Work that takes longer than the ack wait is not taken for lost.
    this.heartbeat = setInterval(() => this.working.forEach((message) => message.working()), ACK_WAIT_MS / 3);
    this.heartbeat.unref();
    callback();
  }

  /** Stops pulling, lets what is in work finish and acknowledge, then returns. */
  async close(): Promise<void> {
    this.closing = true;
    for (const pull of this.pulls) pull.stop();
    const deadline = Date.now() + DRAIN_TIMEOUT_MS;
    while (this.working.size > 0 && Date.now() < deadline) await pause(10);
    clearInterval(this.heartbeat);
  }

  on(): void {
    throw new Error('this transport has no events of its own');
  }

  unwrap<T>(): T {
    return this.broker.nats as T;
  }

  /** Pulls for ever; a consumer or stream that the broker has lost is made again. */
  private async consume(mailbox: string, handler: MessageHandler): Promise<void> {
    while (!this.closing) {
      try {
        const { stream, durable } = await ensureConsumer(await this.broker.manager(), mailbox);
        const consumer = await this.broker.jetstream().consumers.get(stream, durable);
        const pull = await consumer.consume({
          max_messages: PULL_MESSAGES,
          expires: PULL_EXPIRES_MS,
          abort_on_missing_resource: true,
        });
        this.pulls.add(pull);
        // Closed while the consumer was being made: nobody else would stop this pull any more.
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
      const suspect = source.info.deliveryCount > TRUSTED_DELIVERIES;
      const { promises } = await this.handle(
        handler,
        messages.map((message) => ({ message, suspect })),
      );
      if (promises.length !== messages.length) throw new Error('a consumer must answer every message of its batch');
      const done = await Promise.allSettled(promises);
      done.forEach((result, index) => {
        const { replyto } = messages[index]!;
        if (replyto && result.status === 'fulfilled' && result.value) this.publisher.send(replyto, result.value);
      });
      const failed = done.find((result) => result.status === 'rejected');
      if (failed) throw failed.reason;
      await new Promise<void>((resolve) =>
        this.publisher.whenSent(() => {
          // Now, not in a later turn: it leaves in the same packet as the replies.
          instant('ack.before', messages);
          source.ack();
          instant('ack.after', messages);
          resolve();
        }),
      );
    } catch (error) {
      this.giveBack(mailbox, source, error);
    } finally {
      this.working.delete(source);
      inFlight.dec();
    }
  }

  /** Nest answers a throwing handler with an observable that fails, so the result is awaited to the end. */
  private async handle(handler: MessageHandler, deliveries: Delivery[]): Promise<Answers> {
    const result: unknown = await handler(deliveries);
    const answers = isObservable(result) ? await lastValueFrom(result) : result;
    if (!(answers instanceof Answers)) throw new Error('a consumer must return Answers');
    return answers;
  }

  private giveBack(mailbox: string, source: JsMsg, error: unknown): void {
    const { message: reason } = error as Error;
    if (error instanceof UnreadableBatchError) {
      this.log.error({ mailbox, sequence: source.seq, reason }, 'messaging.batch.unreadable');
      source.term();
      return;
    }
    const asked = error instanceof RetryableError ? error.retryAfterMs : undefined;
    const delayMs = asked ?? delayOf(redelivery, source.info.deliveryCount);
    const line = { mailbox, sequence: source.seq, deliveries: source.info.deliveryCount, delayMs, reason };
    // Somebody said "later": that is the protocol, not a fault.
    if (error instanceof RetryableError) this.log.info(line, 'messaging.batch.postponed');
    else this.log.warn(line, 'messaging.batch.failed');
    source.nak(delayMs);
  }
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
