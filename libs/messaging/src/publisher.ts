/**
 * Sends messages: what leaves for one mailbox in the same turn of the event loop travels as one JetStream message.
 *
 * Nobody waits for the broker's acknowledgement. It proves little (JetStream syncs its disk later), and each one wakes
 * this process for nothing: what was lost is sent again by the saga's deadline. One message a second asks for it all
 * the same, to learn that a stream is gone, and makes it again.
 */
import type { JetStreamClient } from '@nats-io/jetstream';
import { headers, type MsgHdrs } from '@nats-io/transport-node';
import { counter, instant, type Logger } from '@shop/observability';
import type { Broker } from './broker';
import { RetryableError } from '@shop/resilience';
import { batchHeaders, encodeBatch, type Message, replaySubjectOf, shortWayOf, subjectOf } from './message';
import { ShortWayOut } from './short-way-out';
import { ensureStream } from './topology';

const PUBLISH_TIMEOUT_MS = 5_000;
const CHECK_INTERVAL_MS = 1_000;
const ROOM_FOR_HEADERS = 256;
/** While the broker is away, so many messages wait for it; the rest is dropped, and sent again by its sagas. */
const MAX_WAITING = 20_000;

const dropped = counter('messaging_messages_dropped_total', 'Messages that were not handed to the broker, by reason', [
  'reason',
]);

/** What leaves together. */
interface Batch {
  mailbox: string;
  replica?: string;
  messages: Message[];
}

export class Publisher {
  private readonly waiting = new Map<string, Batch>();
  private readonly shortWay: ShortWayOut;
  private sent: (() => void)[] = [];
  private readonly headers: MsgHdrs = headers();
  private readonly nextCheck = new Map<string, number>();
  private count = 0;
  private client?: JetStreamClient;

  constructor(
    private readonly broker: Broker,
    private readonly log: Logger,
  ) {
    this.shortWay = new ShortWayOut(broker);
    for (const [name, value] of batchHeaders) this.headers.set(name, value);
    broker.onReconnect(() => this.flush());
  }

  /** The replica that this process is, for those who may answer it directly. */
  get replica(): string {
    return this.broker.replica;
  }

  /** Callers never depend on the messages' arrival. With a replica, it goes there directly if that one listens. */
  send(mailbox: string, message: Message, replica?: string): void {
    if (this.count >= MAX_WAITING) {
      dropped.inc({ reason: 'too-many-waiting' });
      return;
    }
    this.scheduleFlush();
    this.count++;
    const address = replica ? shortWayOf(mailbox, replica) : mailbox;
    const batch = this.waiting.get(address);
    if (batch) batch.messages.push(message);
    else this.waiting.set(address, { mailbox, replica, messages: [message] });
  }

  /** A batch that is in bytes already, and has just come over the connection: it does not wait for one that is away. */
  sendBytes(mailbox: string, payload: Uint8Array): void {
    this.attempt(() => this.publishKept(mailbox, payload), { mailbox });
  }

  /** Calls back when all that is to be sent has been handed to the connection: the broker gets what follows later. */
  whenSent(tell: () => void): void {
    this.scheduleFlush();
    this.sent.push(tell);
  }

  /**
   * Hands a message to its mailbox once more and waits until the broker has it: the operator who asks wants to know.
   * @throws RetryableError when the broker does not take it
   */
  async replay(mailbox: string, payload: Uint8Array): Promise<void> {
    try {
      await this.publishChecked(mailbox, replaySubjectOf(mailbox), payload);
    } catch (cause) {
      throw new RetryableError('the broker did not take the message', { cause });
    }
  }

  private scheduleFlush(): void {
    if (this.waiting.size === 0 && this.sent.length === 0) process.nextTick(() => this.flush());
  }

  private flush(): void {
    // The client forgets what it is given while it makes its connection again.
    if (!this.broker.isConnected) return;
    const batches = [...this.waiting.values()];
    const { sent } = this;
    this.waiting.clear();
    this.count = 0;
    this.sent = [];
    // What one mailbox cannot get (too large for the broker even by itself) must not hold the others, nor the acks.
    for (const batch of batches) this.attempt(() => this.publish(batch), { mailbox: batch.mailbox });
    for (const tell of sent) this.attempt(tell);
  }

  /** A connection that is closed for good refuses everything: this process is about to end, and its sagas ask again. */
  private attempt(work: () => void, line: object = {}): void {
    try {
      work();
    } catch (error) {
      this.log.warn({ ...line, reason: (error as Error).message }, 'messaging.publish.failed');
    }
  }

  private publish({ mailbox, replica, messages }: Batch): void {
    const payload = Buffer.from(encodeBatch(messages));
    if (messages.length > 1 && payload.length > this.largestPayload) {
      const half = messages.length >> 1;
      this.publish({ mailbox, replica, messages: messages.slice(0, half) });
      this.publish({ mailbox, replica, messages: messages.slice(half) });
      return;
    }
    instant('publish.before', messages);
    if (replica) this.publishDirectly(mailbox, replica, payload);
    else this.publishKept(mailbox, payload);
    instant('publish.after', messages);
  }

  private publishDirectly(mailbox: string, replica: string, payload: Uint8Array): void {
    this.shortWay.publish(shortWayOf(mailbox, replica), payload, this.headers, () => this.sendBytes(mailbox, payload));
  }

  private publishKept(mailbox: string, payload: Uint8Array): void {
    if (this.isCheckDue(mailbox)) void this.publishAndCheck(mailbox, payload);
    else this.broker.nats.publish(subjectOf(mailbox), payload, { headers: this.headers });
  }

  /** What the broker takes as one message, in bytes; it counts the headers too. */
  private get largestPayload(): number {
    return (this.broker.nats.info?.max_payload ?? Infinity) - ROOM_FOR_HEADERS;
  }

  private isCheckDue(mailbox: string): boolean {
    const now = performance.now();
    if (now < (this.nextCheck.get(mailbox) ?? 0)) return false;
    this.nextCheck.set(mailbox, now + CHECK_INTERVAL_MS);
    return true;
  }

  private async publishAndCheck(mailbox: string, payload: Uint8Array): Promise<void> {
    try {
      await this.publishChecked(mailbox, subjectOf(mailbox), payload);
    } catch (error) {
      this.log.warn({ mailbox, reason: (error as Error).message }, 'messaging.publish.failed');
    }
  }

  private async publishChecked(mailbox: string, subject: string, payload: Uint8Array): Promise<void> {
    // No message id for the broker's own duplicate check: it may refuse a retry of what it never kept.
    const options = { headers: this.headers, timeout: PUBLISH_TIMEOUT_MS, retries: 0 };
    const client = (this.client ??= this.broker.jetstream());
    await client.publish(subject, payload, options).catch(async () => {
      // A broker that was wiped has no stream for this; one that was away may be back.
      await ensureStream(await this.broker.manager(), mailbox);
      await client.publish(subject, payload, options);
    });
  }
}
