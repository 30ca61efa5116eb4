/**
 * The broker: batches wait until the scheduler delivers, loses, repeats, joins or splits them. What it does with what a
 * consumer answers is what the product's own transport does: replies leave, and what failed is delivered again.
 */
import type { Answers, Delivery, Message, Publisher } from '@shop/messaging';
import { type Backoff, delayOf, RetryableError } from '@shop/resilience';
import type { Clock } from './clock';
import type { Process, Stage } from './stage';

export interface Batch {
  mailbox: string;
  messages: Message[];
  deliveries: number;
  /** Not delivered again before. */
  notBefore: number;
}

export interface Consumer {
  process: Process;
  mailbox: string;
  publisher: Publisher;
  take: (deliveries: Delivery[]) => Answers;
}

/** As in the product's transport. */
const TRUSTED_DELIVERIES = 2;
const redelivery: Backoff = { firstMs: 250, maxMs: 10_000, factor: 2 };
const UUID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;
/** A consumer's lanes must not get so many at once that they would gather: that takes real time. */
export const MOST_MESSAGES_IN_HAND = 4;

export class Channel {
  readonly waiting: Batch[] = [];
  private readonly inHand = new Map<Batch, Process>();
  private readonly names = new Map<string, string>();

  constructor(
    private readonly stage: Stage,
    private readonly clock: Clock,
  ) {}

  /** What leaves in one turn of the event loop for one mailbox is one batch. */
  publisherOf(process: Process): Publisher {
    const leaving = new Map<string, Message[]>();
    const flush = () => {
      for (const [mailbox, messages] of leaving) this.post(mailbox, messages);
      leaving.clear();
    };
    const publisher: Pick<Publisher, 'send'> = {
      send: (mailbox, message) => {
        if (!process.alive) return;
        if (leaving.size === 0) queueMicrotask(flush);
        leaving.set(mailbox, [...(leaving.get(mailbox) ?? []), message]);
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

  repeat(batch: Batch): void {
    this.waiting.push({ ...batch });
  }

  /** Two batches for one mailbox become one, or one becomes two. */
  rebatch(batch: Batch): void {
    const { messages, mailbox } = this.take(batch);
    const other = this.waiting.find((one) => one.mailbox === mailbox);
    if (messages.length > 1) {
      for (const message of messages) this.waiting.push({ ...batch, messages: [message] });
    } else if (other && other.messages.length + 1 < MOST_MESSAGES_IN_HAND) {
      this.take(other);
      this.waiting.push({ ...other, messages: [...other.messages, ...messages] });
    } else {
      this.waiting.push(batch);
    }
  }

  /** What a killed consumer held comes again. */
  giveBackAllOf(process: Process): void {
    for (const [batch, holder] of [...this.inHand]) if (holder === process) this.giveBack(batch, 0);
  }

  /** `#1/reserve/do` for a command of the first saga, with `/reply` behind it for its reply. */
  describe({ messages }: Batch): string {
    return this.inWords(messages.map(({ id }) => id).join(' + '));
  }

  /** With names instead of ids: those are others in each run, and people cannot tell them apart. */
  inWords(text: string): string {
    return text.replaceAll(UUID, (id) => {
      const name = this.names.get(id) ?? `#${this.names.size + 1}`;
      this.names.set(id, name);
      return name;
    });
  }

  private post(mailbox: string, messages: Message[]): void {
    // As bytes, like on the wire: nobody shares objects with another service.
    const sent = JSON.parse(JSON.stringify(messages)) as Message[];
    const batch = { mailbox, messages: sent, deliveries: 0, notBefore: 0 };
    this.waiting.push(batch);
    this.stage.note(`sends ${this.describe(batch)}`);
  }

  private async answer(batch: Batch, { take, publisher }: Consumer): Promise<void> {
    const suspect = batch.deliveries > TRUSTED_DELIVERIES;
    const copy = JSON.parse(JSON.stringify(batch.messages)) as Message[];
    const { promises } = take(copy.map((message) => ({ message, suspect })));
    const done = await Promise.allSettled(promises);
    done.forEach((result, index) => {
      const { replyto } = copy[index]!;
      if (replyto && result.status === 'fulfilled' && result.value) publisher.send(replyto, result.value);
    });
    const failed = done.find((result) => result.status === 'rejected');
    if (!failed) {
      this.inHand.delete(batch);
      this.stage.note('acknowledges');
      return;
    }
    const error: unknown = failed.reason;
    const asked = error instanceof RetryableError ? error.retryAfterMs : undefined;
    this.stage.note(`gives back, ${(error as Error).message}`);
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
