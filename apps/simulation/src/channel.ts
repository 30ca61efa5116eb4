/**
 * The broker: batches wait until the scheduler delivers, loses, repeats, joins or splits them. It treats a consumer's
 * answers like the product's own transport: replies leave, and messages that failed are delivered again. A batch on the
 * short way is for one process. No broker keeps it, and messages that failed in it go to the durable mailbox.
 */
import type { Replies, Delivery, Message, Publisher } from '@shop/messaging';
import { type Backoff, delayOf, RetryableError } from '@shop/resilience';
import type { Clock } from './clock';
import type { Process, Stage } from './stage';

export interface Batch {
  mailbox: string;
  /** On the short way: the name of the process that it is for. */
  replica?: string;
  messages: Message[];
  deliveries: number;
  /** It is not delivered again before this time. */
  notBefore: number;
}

export interface Consumer {
  process: Process;
  mailbox: string;
  publisher: Publisher;
  take: (deliveries: Delivery[]) => Replies;
}

/** As in the product's transport. */
const TRUSTED_DELIVERIES = 2;
const redelivery: Backoff = { firstMs: 250, maxMs: 10_000, factor: 2 };
const IDS = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?:pmt|rfd|dlv|ntf)_[\w-]{27}/g;
/** A consumer's lanes must not get so many messages at once that they would gather, because gathering takes real time. */
export const MOST_MESSAGES_IN_HAND = 4;

export class Channel {
  readonly waiting: Batch[] = [];
  private readonly inHand = new Map<Batch, Process>();
  private readonly names = new Map<string, string>();

  constructor(
    private readonly stage: Stage,
    private readonly clock: Clock,
  ) {}

  /** Messages that leave in one turn of the event loop for one mailbox, or one process, are one batch. */
  publisherOf(process: Process): Publisher {
    const leaving = new Map<string, Batch>();
    const flush = () => {
      for (const batch of leaving.values()) this.post(batch);
      leaving.clear();
    };
    const publisher: Pick<Publisher, 'send' | 'replica'> = {
      replica: process.name,
      send: (mailbox, message, replica) => {
        if (!process.alive) return;
        if (leaving.size === 0) queueMicrotask(flush);
        const address = `${mailbox} ${replica}`;
        const batch = leaving.get(address) ?? { mailbox, replica, messages: [], deliveries: 0, notBefore: 0 };
        leaving.set(address, { ...batch, messages: [...batch.messages, message] });
      },
    };
    return publisher as Publisher;
  }

  deliverable(): Batch[] {
    return this.waiting.filter(({ notBefore }) => notBefore <= this.clock.now);
  }

  /** How many more messages a process may get. */
  roomOf(process: Process): number {
    const held = [...this.inHand].filter(([, holder]) => holder === process);
    return MOST_MESSAGES_IN_HAND - held.reduce((sum, [{ messages }]) => sum + messages.length, 0);
  }

  /** Acknowledged or given back when each of its messages has been answered, or its consumer has died. */
  deliver(batch: Batch, consumer: Consumer): void {
    this.take(batch);
    batch.deliveries++;
    this.inHand.set(batch, consumer.process);
    void this.answer(batch, consumer);
  }

  lose(batch: Batch): void {
    this.take(batch);
  }

  /** Nobody listens at its address any more, so its sender publishes it to the durable mailbox. */
  redirect(batch: Batch): void {
    this.waiting.push({ ...this.take(batch), replica: undefined });
  }

  repeat(batch: Batch): void {
    this.waiting.push({ ...batch });
  }

  /** Two batches for one address become one, or one becomes two. */
  rebatch(batch: Batch): void {
    const { messages, mailbox, replica } = this.take(batch);
    const other = this.waiting.find((one) => one.mailbox === mailbox && one.replica === replica);
    if (messages.length > 1) {
      for (const message of messages) this.waiting.push({ ...batch, messages: [message] });
    } else if (other && other.messages.length + 1 < MOST_MESSAGES_IN_HAND) {
      this.take(other);
      this.waiting.push({ ...other, messages: [...other.messages, ...messages] });
    } else {
      this.waiting.push(batch);
    }
  }

  /** The messages of a killed consumer come again, unless they came the short way. */
  takeBackAllOf(process: Process): void {
    for (const [batch] of [...this.inHand].filter(([, holder]) => holder === process)) {
      if (!batch.replica) this.giveBack(batch, 0);
      else if (this.inHand.delete(batch)) this.stage.note(`${this.describe(batch)} is lost with it`);
    }
  }

  /** `#1/reserve/do` for a command of the first saga, with `/reply` behind it for its reply. */
  describe({ messages }: Batch): string {
    return this.inWords(messages.map(({ id }) => id).join(' + '));
  }

  /** With names instead of ids, because ids differ from run to run, and people cannot tell them apart. */
  inWords(text: string): string {
    return text.replaceAll(IDS, (id) => {
      const name = this.names.get(id) ?? `#${this.names.size + 1}`;
      this.names.set(id, name);
      return name;
    });
  }

  private post(batch: Batch): void {
    // As bytes, like on the wire, because services must not share objects.
    this.waiting.push({ ...batch, messages: JSON.parse(JSON.stringify(batch.messages)) as Message[] });
    this.stage.note(`sends ${this.describe(batch)}`);
  }

  private async answer(batch: Batch, { take, publisher }: Consumer): Promise<void> {
    const suspect = batch.deliveries > TRUSTED_DELIVERIES;
    const copy = JSON.parse(JSON.stringify(batch.messages)) as Message[];
    const { promises } = take(copy.map((message) => ({ message, suspect })));
    const done = await Promise.allSettled(promises);
    done.forEach((result, index) => {
      const { replyto, replica } = copy[index]!;
      if (replyto && result.status === 'fulfilled' && result.value) publisher.send(replyto, result.value, replica);
    });
    const failed = done.find((result) => result.status === 'rejected');
    this.inHand.delete(batch);
    if (!failed) {
      this.stage.note(batch.replica ? 'is done' : 'acknowledges');
      return;
    }
    const error = failed.reason as Error;
    if (batch.replica) {
      this.stage.note(`hands on, ${error.message}`);
      const rejected = copy.filter((_, index) => done[index]!.status === 'rejected');
      for (const message of rejected) publisher.send(batch.mailbox, message);
      return;
    }
    const asked = error instanceof RetryableError ? error.retryAfterMs : undefined;
    this.stage.note(`gives back, ${error.message}`);
    this.giveBack(batch, asked ?? delayOf(redelivery, batch.deliveries));
  }

  private giveBack(batch: Batch, delayMs: number): void {
    this.inHand.delete(batch);
    batch.notBefore = this.clock.now + delayMs;
    this.waiting.push(batch);
  }

  private take(batch: Batch): Batch {
    this.waiting.splice(this.waiting.indexOf(batch), 1);
    return batch;
  }
}
