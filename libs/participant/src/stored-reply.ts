/** A reply as the ledger keeps it. */
import type { Answer } from '@shop/idempotency';
import type { Reply } from '@shop/messaging';

/** `kept: false` for what holds only now: the command may come again, and is decided anew. */
export function answerOf(reply: Reply, { kept }: Pick<Answer, 'kept'> = {}): Answer {
  return { status: reply.outcome === 'succeeded' ? 200 : 409, body: JSON.stringify(reply), kept };
}

export const replyOf = (answer: Answer): Reply => JSON.parse(answer.body) as Reply;
