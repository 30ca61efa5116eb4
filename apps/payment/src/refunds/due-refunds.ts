/** Asks the provider about refunds that are not settled, when it is time to. */
import type { Logger } from '@shop/observability';
import type { Database } from '@shop/postgres';
import { DueWork } from '../payments/due-work';
import { takeDueRefunds } from './refunds.repository';
import type { SettlingRefunds } from './settling-refunds';

/** A bank takes days. */
const EVERY_MS = 5_000;

export class DueRefunds extends DueWork {
  constructor(database: Database, refunds: Pick<SettlingRefunds, 'settle'>, logger: Logger) {
    super({
      take: (limit) => takeDueRefunds(database, limit),
      settle: (key) => refunds.settle(key),
      everyMs: EVERY_MS,
      logger,
      lines: { failed: 'payment.refunds.due.failed', putOff: 'payment.refund.put_off', id: 'refundId' },
    });
  }
}
