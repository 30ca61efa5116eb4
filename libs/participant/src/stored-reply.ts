/** A reply in the form in which the ledger stores it. */
import type { Answer } from '@shop/idempotency';
import type { Reply } from '@shop/messaging';

/** `kept: false` is for a reply that is true only now. The command may come again and is then decided again. */
export function answerOf(reply: Reply, { kept }: Pick<Answer, 'kept'> = {}): Answer {
  return { status: reply.outcome === 'succeeded' ? 200 : 409, body: JSON.stringify(reply), kept };
}

export const replyOf = (answer: Answer): Reply => JSON.parse(answer.body) as Reply;
