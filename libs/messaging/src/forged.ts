/** What a message says of its sender, and the broker says otherwise. */
import { counter, type Logger } from '@shop/observability';

const forged = counter('messaging_batches_forged_total', 'Batches dropped because their sender is another one', [
  'mailbox',
]);

/** It is dropped, not put away: an operator could replay a dead letter, and a true sender sends again by itself. */
export function refuseForged(log: Logger, mailbox: string, subject: string): void {
  forged.inc({ mailbox });
  log.error({ mailbox, subject }, 'messaging.batch.forged');
}
