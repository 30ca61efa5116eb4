/** Asks the provider about refunds that are not settled, when it is time to. Every replica does so, each for others. */
import type { Logger } from '@shop/observability';
import type { Database } from '@shop/postgres';
import { Repeating } from '@shop/resilience';
import { takeDueRefunds } from './refunds.repository';
import type { SettlingRefunds } from './settling-refunds';

export interface DueRefundsOptions {
  database: Database;
  refunds: Pick<SettlingRefunds, 'settle'>;
  logger: Logger;
  /** How often to look. */
  intervalMs?: number;
}

/** A bank takes days. */
const DEFAULT_INTERVAL_MS = 5_000;
/** The most refunds of one look. The others follow in the next one. */
const MAX_DUE = 100;

export class DueRefunds {
  private readonly looking: Repeating;

  constructor(private readonly options: DueRefundsOptions) {
    const { intervalMs = DEFAULT_INTERVAL_MS, logger } = options;
    this.looking = new Repeating(() => this.settleDue(), {
      everyMs: intervalMs,
      onFailure: (error) => logger.warn({ reason: (error as Error).message }, 'payment.refunds.due.failed'),
    });
  }

  start(): void {
    this.looking.start();
  }

  stop(): Promise<void> {
    return this.looking.stop();
  }

  /** A refund about which the provider does not tell is asked for again at its next time. */
  private async settleDue(): Promise<void> {
    const { database, refunds, logger } = this.options;
    const due = await takeDueRefunds(database, MAX_DUE);
    await Promise.all(
      due.map((key) =>
        refunds
          .settle(key)
          .catch((error: Error) => logger.warn({ refundId: key.id, reason: error.message }, 'payment.refund.put_off')),
      ),
    );
  }
}
