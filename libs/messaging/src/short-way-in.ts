/**
 * The end of the short way in the replica that waits for replies: it takes them as they come, past JetStream.
 *
 * What it cannot take now goes to the durable mailbox, where deliveries are counted and held back. What is in its hands at
 * the moment in which its process is killed waits for the deadline of its saga. docs/adr/0019 tells more.
 */
import type { Msg, Subscription } from '@nats-io/transport-node';
import type { MessageHandler } from '@nestjs/microservices';
import { gauge, type Logger } from '@shop/observability';
import { RetryableError } from '@shop/resilience';
import type { Broker } from './broker';
import { answersOf } from './mailbox';
import { decodeBatch, type Message, shortWayOf } from './message';
import type { Publisher } from './publisher';

/** So many messages may be in work; what comes beyond goes to the durable mailbox, where the broker holds it back. */
const MAX_IN_WORK = 20_000;

const inWork = gauge('messaging_short_way_in_flight', 'Messages that came the short way and are in work');

/** What it hands over to, and asks. */
interface Mailbox {
  name: string;
  handler: MessageHandler;
  /** Messages that are in trouble already, and belong to the durable mailbox. */
  knowsAnyOf: (messages: readonly Message[]) => boolean;
}

/** The connection subscribes again by itself when it was lost. */
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
    this.subscription = broker.nats.subscribe(shortWayOf(mailbox.name, broker.replica), {
      callback: (error, message) => {
        if (!error) void this.take(message);
      },
    });
  }

  /** From here on the broker tells senders that nobody listens. Ends when it is `idle`. */
  close(): void {
    // A connection that is closed, or away, brings nothing more either.
    const drained = this.broker.isConnected ? this.subscription.drain().catch(() => undefined) : Promise.resolve();
    void drained.then(() => (this.drained = true));
  }

  /** Closed, and nothing in work. */
  get idle(): boolean {
    return this.drained && this.working === 0;
  }

  private async take(source: Msg): Promise<void> {
    const { name, knowsAnyOf } = this.mailbox;
    let messages: Message[];
    try {
      messages = decodeBatch(source.string());
    } catch {
      // There is a place for what cannot be read, behind the durable mailbox.
      return this.publisher.sendBytes(name, source.data);
    }
    if (this.working >= MAX_IN_WORK || knowsAnyOf(messages)) return this.handOver(messages);
    this.working += messages.length;
    inWork.inc(messages.length);
    await this.handle(messages);
    this.working -= messages.length;
    inWork.dec(messages.length);
  }

  /** What fails comes again by the durable mailbox, where its deliveries are counted. */
  private async handle(messages: Message[]): Promise<void> {
    try {
      const { promises } = await answersOf(
        this.mailbox.handler,
        messages.map((message) => ({ message, suspect: false })),
      );
      const done = await Promise.allSettled(promises);
      const failures = done.flatMap((result): unknown[] => (result.status === 'rejected' ? [result.reason] : []));
      if (failures.length > 0) this.tell(failures[0]);
      this.handOver(messages.filter((_, index) => done[index]!.status === 'rejected'));
    } catch (error) {
      this.tell(error);
      this.handOver(messages);
    }
  }

  /** Message by message: while the connection is away, they wait for it. */
  private handOver(messages: readonly Message[]): void {
    for (const message of messages) this.publisher.send(this.mailbox.name, message);
  }

  /** As of a batch from the stream. */
  private tell(error: unknown): void {
    const line = { mailbox: this.mailbox.name, reason: error instanceof Error ? error.message : String(error) };
    if (error instanceof RetryableError) this.log.info(line, 'messaging.batch.postponed');
    else this.log.warn(line, 'messaging.batch.failed');
  }
}
