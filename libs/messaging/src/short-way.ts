/**
 * The short way of a reply: past JetStream, straight to the replica that waits for it.
 *
 * Who sends a command remembers its saga, and a reply that is lost is asked for again by the saga's deadline; so the first
 * reply needs no disk. When nobody listens at the replica's address any more, the broker says so at once and the batch goes
 * to the durable mailbox; so does what the replica cannot take now. What travels to a process at the moment in which it is
 * killed waits for its deadline.
 */
import { createInbox, type Msg, type MsgHdrs, type Subscription } from '@nats-io/transport-node';
import type { MessageHandler } from '@nestjs/microservices';
import { gauge } from '@shop/observability';
import { Recent } from '@shop/resilience';
import type { Broker } from './broker';
import { answersOf } from './mailbox';
import { decodeBatch, type Message, shortWayOf } from './message';
import type { Publisher } from './publisher';

/** The broker's word that nobody listens comes within a round trip; until then so many batches are kept. */
const MAX_UNSURE = 100;
const NO_RESPONDERS = 503;
/** So many messages may be in work; what comes beyond goes to the durable mailbox, where the broker holds it back. */
const MAX_IN_WORK = 20_000;

const inWork = gauge('messaging_short_way_in_flight', 'Messages that came the short way and are in work');

/** The sender's end. */
export class ShortWayOut {
  private readonly inbox = createInbox();
  private readonly unsure = new Recent<string, () => void>(MAX_UNSURE);
  private subscription?: Subscription;
  private count = 0;

  constructor(private readonly broker: Broker) {}

  /** `otherwise` runs when nobody listens there. */
  publish(subject: string, payload: Uint8Array, headers: MsgHdrs, otherwise: () => void): void {
    const { nats } = this.broker;
    this.subscription ??= nats.subscribe(`${this.inbox}.*`, { callback: (_error, message) => this.onAnswer(message) });
    const reply = `${this.inbox}.${++this.count}`;
    this.unsure.put(reply, otherwise);
    nats.publish(subject, payload, { headers, reply });
  }

  private onAnswer({ subject, headers }: Msg): void {
    if (headers?.code !== NO_RESPONDERS) return;
    const otherwise = this.unsure.get(subject);
    this.unsure.delete(subject);
    otherwise?.();
  }
}

/** What the replica's end hands over to, and asks. */
interface Mailbox {
  name: string;
  handler: MessageHandler;
  /** Messages that are in trouble already, and belong to the durable mailbox. */
  knowsAnyOf: (messages: readonly Message[]) => boolean;
}

/** The end of the replica that waits. */
export class ShortWayIn {
  private readonly subscription: Subscription;
  private working = 0;

  constructor(
    broker: Broker,
    private readonly publisher: Publisher,
    private readonly mailbox: Mailbox,
  ) {
    this.subscription = broker.nats.subscribe(shortWayOf(mailbox.name, broker.replica), {
      callback: (error, message) => {
        if (!error) void this.take(message.data);
      },
    });
  }

  /** From here on the broker tells senders that nobody listens. */
  close(): Promise<void> {
    return this.subscription.drain();
  }

  get idle(): boolean {
    return this.working === 0;
  }

  private async take(payload: Uint8Array): Promise<void> {
    const { handler, name, knowsAnyOf } = this.mailbox;
    let messages: Message[] = [];
    try {
      messages = decodeBatch(Buffer.from(payload).toString());
    } catch {
      // There is a place for what cannot be read, behind the durable mailbox.
      return this.publisher.sendBytes(name, payload);
    }
    if (this.working > MAX_IN_WORK || knowsAnyOf(messages)) return this.publisher.sendBytes(name, payload);
    this.working += messages.length;
    inWork.inc(messages.length);
    try {
      const { promises } = await answersOf(
        handler,
        messages.map((message) => ({ message, suspect: false })),
      );
      const done = await Promise.allSettled(promises);
      done.forEach(({ status }, index) => {
        if (status === 'rejected') this.publisher.send(name, messages[index]!);
      });
    } catch {
      this.publisher.sendBytes(name, payload);
    } finally {
      this.working -= messages.length;
      inWork.dec(messages.length);
    }
  }
}
