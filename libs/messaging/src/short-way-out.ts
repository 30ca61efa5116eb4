/**
 * The sender's end of the short way: a reply past JetStream, straight to the replica that waits for it.
 *
 * Who sends a command remembers its saga, and a reply that is lost is asked for again by the saga's deadline; so the first
 * reply needs no disk. When nobody listens at the replica's address any more, the broker says so at once, and the batch goes
 * to the durable mailbox. docs/adr/0019 tells more.
 */
import { createInbox, type Msg, type MsgHdrs, type Subscription } from '@nats-io/transport-node';
import { counter } from '@shop/observability';
import type { Broker } from './broker';

/** The broker's word that nobody listens comes within a round trip; the deadline brings what it says later than this. */
const UNSURE_MS = 2_000;
const NO_RESPONDERS = 503;

const batches = counter(
  'messaging_short_way_batches_total',
  'Batches sent the short way, and those of them that nobody listened for and that went to the durable mailbox, by outcome',
  ['outcome'],
);

export class ShortWayOut {
  private readonly inbox = createInbox();
  /** What to do if nobody listens, by reply subject; the older ones are forgotten at the next turn. */
  private unsure = new Map<string, () => void>();
  private older = new Map<string, () => void>();
  private turn?: NodeJS.Timeout;
  private subscription?: Subscription;
  private count = 0;

  constructor(private readonly broker: Broker) {}

  /** `otherwise` runs when nobody listens there. */
  publish(subject: string, payload: Uint8Array, headers: MsgHdrs, otherwise: () => void): void {
    const { nats } = this.broker;
    this.subscription ??= nats.subscribe(`${this.inbox}.*`, { callback: (_error, message) => this.onAnswer(message) });
    const reply = `${this.inbox}.${++this.count}`;
    nats.publish(subject, payload, { headers, reply });
    batches.inc({ outcome: 'sent' });
    this.unsure.set(reply, otherwise);
    this.turn ??= setTimeout(() => this.forget(), UNSURE_MS).unref();
  }

  private onAnswer({ subject, headers }: Msg): void {
    if (headers?.code !== NO_RESPONDERS) return;
    const otherwise = this.unsure.get(subject) ?? this.older.get(subject);
    this.unsure.delete(subject);
    this.older.delete(subject);
    if (!otherwise) return;
    batches.inc({ outcome: 'unheard' });
    otherwise();
  }

  private forget(): void {
    this.older = this.unsure;
    this.unsure = new Map();
    this.turn = this.older.size > 0 ? setTimeout(() => this.forget(), UNSURE_MS).unref() : undefined;
  }
}
