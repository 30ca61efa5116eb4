/** What a Nest controller needs to consume the messages of a mailbox. */
import { type MessageHandler, MessagePattern } from '@nestjs/microservices';
import { isTracing } from '@shop/observability';
import { isObservable, lastValueFrom } from 'rxjs';
import type { Message } from './message';
import { processing } from './message-spans';

export interface Delivery {
  message: Message;
  /** It has failed again and again, or has ended its process: it is handled alone, and not in a batch with others. */
  suspect: boolean;
  /** Where it was delivered to. Only its span asks. */
  mailbox?: string;
}

export const deliveryOf = (mailbox: string, message: Message, suspect: boolean): Delivery =>
  isTracing() ? { message, suspect, mailbox } : { message, suspect };

/**
 * One promise for each delivery, in the same order, of the reply to send or of nothing. If one is rejected, the broker
 * delivers the JetStream message again. It is an object because Nest would await a bare promise and spread a bare
 * array.
 */
export class Replies {
  constructor(readonly promises: Promise<Message | undefined>[]) {}

  /** Each delivery is handled by itself, and its span is the current one meanwhile. */
  static each(deliveries: readonly Delivery[], handle: (delivery: Delivery) => Promise<Message | undefined>): Replies {
    return new Replies(deliveries.map((delivery) => processing(delivery, () => handle(delivery))));
  }
}

/** Marks a method `(deliveries: Delivery[]) => Replies` as the consumer of a mailbox. */
export const Consumes = (mailbox: string) => MessagePattern(mailbox);

/** If the handler throws, Nest returns an observable that fails, so the observable is awaited to its end. */
export async function repliesOf(handler: MessageHandler, deliveries: Delivery[]): Promise<Replies> {
  const result: unknown = await handler(deliveries);
  const replies = isObservable(result) ? await lastValueFrom(result) : result;
  if (!(replies instanceof Replies) || replies.promises.length !== deliveries.length) {
    throw new Error('a consumer must return Replies, one for every message');
  }
  return replies;
}
