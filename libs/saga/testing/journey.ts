/** A journey: the saga that the engine's tests run, and the replies that they give it. */
import { defineCommand, type Message, newMessage, type Reply } from '@shop/messaging';
import { defineSaga, step } from '../src/definition';
import { commandId } from '../src/command-id';

export interface Journey {
  traveller: string;
  /** The body of this command cannot be made. */
  breaksAt?: string;
}

const action = (name: string) => ({
  command: defineCommand({ service: 'travel', name, version: 1, body: class {} }),
  body: ({ traveller, breaksAt }: Journey) => {
    if (breaksAt === name) throw new Error(`no body for ${name}`);
    return { traveller };
  },
});
const deadline = { backoff: { firstMs: 60_000, factor: 2, maxMs: 600_000 }, attempts: 2, undoAttempts: 2 };
const flight = step<Journey>('flight', { do: action('flight'), undo: action('cancel-flight'), deadline });
const hotel = step<Journey>('hotel', { do: action('hotel'), undo: action('cancel-hotel'), deadline });
const pay = step<Journey>('pay', { do: action('pay'), pivot: true, deadline });
export const journeyV1 = defineSaga<Journey>('journey', 1, [flight, hotel, pay]);
/** The hotel is first here: nobody wants to fly without a room. */
export const journeyV2 = defineSaga<Journey>('journey', 2, [hotel, flight, pay]);

export function replyTo(sagaId: string, command: string, reply: Reply = { outcome: 'succeeded' }): Message {
  const [name, verb] = command.split('.') as [string, 'do' | 'undo'];
  const causationid = commandId(sagaId, name, verb);
  return newMessage({
    id: `${causationid}/reply`,
    type: 'travel.reply',
    source: 'travel',
    subject: sagaId,
    causationid,
    data: reply,
  });
}
export const refused = (reason: string): Reply => ({ outcome: 'refused', reason });
