/**
 * Sends messages: what leaves for one mailbox in the same turn of the event loop travels as one JetStream message.
 *
 * Nobody waits for the broker's acknowledgement. It proves little (JetStream syncs its disk later), and each one wakes
 * this process: the saga's deadline sends again what was lost. One message a second for each mailbox asks for it all
 * the same, to notice that a stream is gone and to create it again.
 */
import type { JetStreamClient } from '@nats-io/jetstream';
import { errors, headers, type MsgHdrs, RequestError, TimeoutError } from '@nats-io/transport-node';
import { counter, instant, type Logger, type Span, withoutSpan } from '@shop/observability';
import type { Broker } from './broker';
import { RetryableError, TerminalError } from '@shop/resilience';
import { batchHeaders, encodeBatch, type Message, replaySubjectOf, shortWayOf, subjectFrom } from './message';
import { endSent, sending } from './message-spans';
import { ensureStream } from './topology';

const PUBLISH_TIMEOUT_MS = 5_000;
const CHECK_INTERVAL_MS = 1_000;
const ROOM_FOR_HEADERS = 256;
/** The broker says within one round trip that nobody listens; after this time a batch counts as taken. */
const SHORT_WAY_TIMEOUT_MS = 2_000;
/** So many messages wait while the broker is away; more are dropped, and their sagas send them again. */
const MAX_WAITING = 20_000;

const dropped = counter('messaging_messages_dropped_total', 'Messages that were not sent to the broker, by reason', [
  'reason',
]);
const shortWayBatches = counter(
  'messaging_short_way_batches_total',
  'Batches sent the short way, and those of them that nobody listened for and that went to the durable mailbox, by outcome',
  ['outcome'],
);

/** What is sent as one message of the broker. */
interface Batch {
  mailbox: string;
  replica?: string;
  messages: Message[];
  /** Those of its messages. */
  spans: Span[];
}

export class Publisher {
  private readonly waiting = new Map<string, Batch>();
  private sent: (() => void)[] = [];
  private readonly headers: MsgHdrs = headers();
  private readonly nextCheck = new Map<string, number>();
  private count = 0;
  private client?: JetStreamClient;

  constructor(
    private readonly broker: Broker,
    private readonly log: Logger,
  ) {
    for (const [name, value] of batchHeaders) this.headers.set(name, value);
    broker.onReconnect(() => this.flush());
  }

  /** The name of this process, for senders that may answer it directly. */
  get replica(): string {
    return this.broker.replica;
  }

  /**
   * The message may be lost: no caller depends on its arrival. With a replica it goes there directly, if that one
   * listens.
   */
  send(mailbox: string, message: Message, replica?: string): void {
    if (this.count >= MAX_WAITING) {
      dropped.inc({ reason: 'too-many-waiting' });
      return;
    }
    this.scheduleFlush();
    this.count++;
    const address = replica ? this.shortWayTo(mailbox, replica) : mailbox;
    const batch = this.waiting.get(address) ?? { mailbox, replica, messages: [], spans: [] };
    this.waiting.set(address, batch);
    const { message: sent, span } = sending(mailbox, message);
    batch.messages.push(sent);
    if (span) batch.spans.push(span);
  }

  /** For a batch that is encoded already. It does not wait for a connection that is away. */
  sendBytes(mailbox: string, payload: Uint8Array): void {
    this.attempt(() => this.publishKept(mailbox, payload), { mailbox });
  }

  /**
   * Calls back when all waiting messages were written to the connection: what is written from then on comes after
   * them.
   */
  whenSent(tell: () => void): void {
    this.scheduleFlush();
    this.sent.push(tell);
  }

  /**
   * Sends a message to its mailbox once more and waits until the broker has it: the operator who asks wants to know.
   * @throws RetryableError when the broker does not take it
   * @throws TerminalError when it never will: the message is larger than the broker allows
   */
  async replay(mailbox: string, payload: Uint8Array): Promise<void> {
    // The client would keep it until the connection is back, and the caller sends it again by then.
    if (!this.broker.isConnected) throw new RetryableError('the broker is away');
    try {
      await this.publishChecked(mailbox, replaySubjectOf(mailbox), payload);
    } catch (cause) {
      if (cause instanceof errors.InvalidArgumentError) throw new TerminalError(cause.message, { cause });
      throw new RetryableError('the broker did not take the message', { cause });
    }
  }

  private scheduleFlush(): void {
    if (this.waiting.size === 0 && this.sent.length === 0) process.nextTick(() => withoutSpan(() => this.flush()));
  }

  private flush(): void {
    // While the connection is away, the client would lose what it is given.
    if (!this.broker.isConnected) return;
    const batches = [...this.waiting.values()];
    const { sent } = this;
    this.waiting.clear();
    this.count = 0;
    this.sent = [];
    // A message that is too large for the broker must not hold up other mailboxes, nor the acks.
    for (const batch of batches) {
      this.attempt(() => this.publish(batch), { mailbox: batch.mailbox });
      endSent(batch.spans, batch.messages);
    }
    for (const tell of sent) this.attempt(tell);
  }

  /** A closed connection refuses everything: then this process is about to end, and the sagas send again. */
  private attempt(work: () => void, line: object = {}): void {
    try {
      work();
    } catch (error) {
      this.log.warn({ ...line, reason: (error as Error).message }, 'messaging.publish.failed');
    }
  }

  private publish({ mailbox, replica, messages }: Omit<Batch, 'spans'>): void {
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

  /** Sent as a request, which nobody answers, so that the broker says when nobody listens. */
  private publishDirectly(mailbox: string, replica: string, payload: Uint8Array): void {
    const options = { headers: this.headers, timeout: SHORT_WAY_TIMEOUT_MS };
    // `request` writes to the connection before it returns, so the ack of the command leaves after the reply.
    this.broker.nats
      .request(this.shortWayTo(mailbox, replica), payload, options)
      .catch((error: unknown) => this.onNoAnswer(error, mailbox, payload));
    shortWayBatches.inc({ outcome: 'sent' });
  }

  private onNoAnswer(error: unknown, mailbox: string, payload: Uint8Array): void {
    // The usual end: the replica has the batch and does not answer.
    if (error instanceof TimeoutError) return;
    if (error instanceof RequestError) {
      // Otherwise the connection was closed after the batch was written.
      if (!error.isNoResponders()) return;
      shortWayBatches.inc({ outcome: 'unheard' });
    }
    // Nobody listens, or the connection refused the request.
    this.sendBytes(mailbox, payload);
  }

  private publishKept(mailbox: string, payload: Uint8Array): void {
    if (this.isCheckDue(mailbox)) void this.publishAndCheck(mailbox, payload);
    else this.broker.nats.publish(this.subjectOf(mailbox), payload, { headers: this.headers });
  }

  private readonly subjectOf = (mailbox: string): string => subjectFrom(mailbox, this.broker.service);

  private readonly shortWayTo = (mailbox: string, replica: string): string =>
    shortWayOf(mailbox, replica, this.broker.service);

  /** The largest batch that the broker takes as one message, in bytes; the broker counts the headers too. */
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
      await this.publishChecked(mailbox, this.subjectOf(mailbox), payload);
    } catch (error) {
      this.log.warn({ mailbox, reason: (error as Error).message }, 'messaging.publish.failed');
    }
  }

  private async publishChecked(mailbox: string, subject: string, payload: Uint8Array): Promise<void> {
    // Without a message id for the broker's duplicate check: it may refuse the retry of a message that it never kept.
    const options = { headers: this.headers, timeout: PUBLISH_TIMEOUT_MS, retries: 0 };
    const client = (this.client ??= this.broker.jetstream());
    await client.publish(subject, payload, options).catch(async () => {
      // A broker that was wiped has no stream for this mailbox; one that was away may be back.
      await ensureStream(await this.broker.manager(), mailbox);
      await client.publish(subject, payload, options);
    });
  }
}
