/** Asks the provider about payments that wait, when it is time to. */
import type { Logger } from '@shop/observability';
import type { Database } from '@shop/postgres';
import { DueWork } from './due-work';
import type { WaitingPayments } from './waiting-payments';
import { takeDue } from './waiting-payments.repository';

const EVERY_MS = 500;

export class DuePayments extends DueWork {
  constructor(database: Database, waiting: Pick<WaitingPayments, 'settle'>, logger: Logger) {
    super({
      take: (limit) => takeDue(database, limit),
      settle: (key) => waiting.settle(key),
      everyMs: EVERY_MS,
      logger,
      lines: { failed: 'payment.due.failed', putOff: 'payment.due.put_off', id: 'paymentId' },
    });
  }
}
