/**
 * The receiving end of the short way: a replica takes the replies to its own commands directly, without JetStream.
 *
 * What it cannot take now goes to the durable mailbox, where deliveries are counted and held back. If the process is
 * killed, the replies that it was handling are lost, and the deadlines of their sagas ask again. See docs/adr/0019.
 */
import type { Msg, Subscription } from '@nats-io/transport-node';
import type { MessageHandler } from '@nestjs/microservices';
import { gauge, type Logger } from '@shop/observability';
import { RetryableError } from '@shop/resilience';
import type { Broker } from './broker';
import { measureReceived } from './consumer-metrics';
import { deliveryOf, repliesOf } from './mailbox';
import { decodeBatch, isFromItsSender, type Message, shortWayOf } from './message';
import { refuseForged } from './forged';
import type { Publisher } from './publisher';
import { readBatch } from './read-batch';

/** While so many messages are in work, more go to the durable mailbox, where the broker holds them back. */
const MAX_IN_WORK = 20_000;

const inWork = gauge('messaging_short_way_in_flight', 'Messages that came the short way and are in work');

/** The mailbox that the replies are for. */
interface Mailbox {
  name: string;
  handler: MessageHandler;
  /** Whether these belong to the durable mailbox: one has an open dead letter, or this replica cannot work now. */
  refuses: (messages: readonly Message[]) => boolean;
}

/** After a loss of the connection, the client subscribes again by itself. */
export class ShortWayIn {
  private readonly subscription: Subscription;
  private working = 0;
  private drained = false;

  constructor(
    private readonly broker: Broker,
    private readonly publisher: Publisher,
    private readonly mailbox: Mailbox,
    private readonly log: Logger,
  ) {
    const subject = shortWayOf(mailbox.name, broker.replica, '*');
    this.subscription = broker.subscribe(subject, (message) => this.take(message));
  }

  /** From now on the broker tells senders that nobody listens. It is closed when it is `idle`. */
  close(): void {
    // A connection that is closed or away brings nothing more either.
    const drained = this.broker.isConnected ? this.subscription.drain().catch(() => undefined) : Promise.resolve();
    void drained.then(() => (this.drained = true));
  }

  /** It is closed, and nothing is in work. */
  get idle(): boolean {
    return this.drained && this.working === 0;
  }

  private async take(source: Msg): Promise<void> {
    const { name, refuses } = this.mailbox;
    let messages: Message[];
    let unread = false;
    try {
      messages = decodeBatch(source.string());
    } catch {
      messages = readableIn(source.string());
      unread = true;
    }
    // Before it goes on, because what we send to our own mailbox counts as true.
    if (!isFromItsSender(name, source.subject, messages)) return refuseForged(this.log, name, source.subject);
    // The consumer of the durable mailbox makes dead letters of what it cannot read.
    if (unread) return this.publisher.sendBytes(name, source.data);
    if (this.working >= MAX_IN_WORK || refuses(messages)) return this.sendToMailbox(messages);
    this.working += messages.length;
    inWork.inc(messages.length);
    await this.handle(messages);
    this.working -= messages.length;
    inWork.dec(messages.length);
  }

  /** What fails goes to the durable mailbox, where its deliveries are counted. */
  private async handle(messages: Message[]): Promise<void> {
    const tookAtMs = performance.now();
    let failed: number;
    try {
      const { promises } = await repliesOf(
        this.mailbox.handler,
        messages.map((message) => deliveryOf(this.mailbox.name, message, false)),
      );
      const done = await Promise.allSettled(promises);
      const failures = done.flatMap((result): unknown[] => (result.status === 'rejected' ? [result.reason] : []));
      failed = failures.length;
      if (failed > 0) this.logFailure(failures[0]);
      this.sendToMailbox(messages.filter((_, index) => done[index]!.status === 'rejected'));
    } catch (error) {
      failed = messages.length;
      this.logFailure(error);
      this.sendToMailbox(messages);
    }
    const batch = { mailbox: this.mailbox.name, way: 'short', tookAtMs } as const;
    if (failed > 0) measureReceived({ ...batch, outcome: 'returned', count: failed });
    if (failed < messages.length) {
      measureReceived({ ...batch, outcome: 'answered', count: messages.length - failed });
    }
  }

  /** As messages, not as bytes: then they wait while the connection is away. */
  private sendToMailbox(messages: readonly Message[]): void {
    for (const message of messages) this.publisher.send(this.mailbox.name, message);
  }

  /** The same log lines as for a batch from the stream. */
  private logFailure(error: unknown): void {
    const line = { mailbox: this.mailbox.name, reason: error instanceof Error ? error.message : String(error) };
    if (error instanceof RetryableError) this.log.info(line, 'messaging.batch.postponed');
    else this.log.warn(line, 'messaging.batch.failed');
  }
}

/** The consumer of the durable mailbox will take these. */
function readableIn(text: string): Message[] {
  try {
    return readBatch(text).messages;
  } catch {
    return [];
  }
}
