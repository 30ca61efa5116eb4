/** What a Nest controller needs to take the messages of a mailbox. */
import { type MessageHandler, MessagePattern } from '@nestjs/microservices';
import { isObservable, lastValueFrom } from 'rxjs';
import type { Message } from './message';

export interface Delivery {
  message: Message;
  /** It has failed again and again, or its consumer has died with it: it now works alone, out of everybody's batch. */
  suspect: boolean;
}

/**
 * One promise per delivery, in the same order: the reply to send, or nothing. A rejected one makes the broker deliver
 * the JetStream message again. Wrapped in an object because Nest would await a bare promise and spread a bare array.
 */
export class Answers {
  constructor(readonly promises: Promise<Message | undefined>[]) {}
}

/** Marks a method `(deliveries: Delivery[]) => Answers` as the taker of a mailbox. */
export const Consumes = (mailbox: string) => MessagePattern(mailbox);

/** Nest answers a throwing handler with an observable that fails, so the result is awaited to the end. */
export async function answersOf(handler: MessageHandler, deliveries: Delivery[]): Promise<Answers> {
  const result: unknown = await handler(deliveries);
  const answers = isObservable(result) ? await lastValueFrom(result) : result;
  if (!(answers instanceof Answers) || answers.promises.length !== deliveries.length) {
    throw new Error('a consumer must return Answers, one for every message');
  }
  return answers;
}
