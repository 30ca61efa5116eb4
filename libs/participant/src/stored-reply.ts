/** A reply in the form in which the ledger stores it. */
import type { Answer } from '@shop/idempotency';
import type { Reply } from '@shop/messaging';

const statuses = { succeeded: 200, waiting: 202, refused: 409 } satisfies Record<Reply['outcome'], number>;

/**
 * `kept: false` is for a reply that is true only now. The command may come again and is then decided again. A reply that
 * the command waits is always such a reply.
 */
export function answerOf(reply: Reply, { kept }: Pick<Answer, 'kept'> = {}): Answer {
  const isOver = reply.outcome !== 'waiting';
  return { status: statuses[reply.outcome], body: JSON.stringify(reply), kept: isOver ? kept : false };
}

export const replyOf = (answer: Answer): Reply => JSON.parse(answer.body) as Reply;
