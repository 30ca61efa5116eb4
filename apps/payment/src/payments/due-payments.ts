/** Asks the provider about payments that wait, when it is time to. Every replica does so, each for other payments. */
import type { Logger } from '@shop/observability';
import type { Database } from '@shop/postgres';
import { Repeating } from '@shop/resilience';
import type { WaitingPayments } from './waiting-payments';
import { takeDue } from './waiting-payments.repository';

export interface DuePaymentsOptions {
  database: Database;
  waiting: Pick<WaitingPayments, 'settle'>;
  logger: Logger;
  /** How often to look. */
  intervalMs?: number;
}

const DEFAULT_INTERVAL_MS = 500;
/** The most payments of one look. The others follow in the next one. */
const MAX_DUE = 100;

export class DuePayments {
  private readonly looking: Repeating;

  constructor(private readonly options: DuePaymentsOptions) {
    const { intervalMs = DEFAULT_INTERVAL_MS, logger } = options;
    this.looking = new Repeating(() => this.settleDue(), {
      everyMs: intervalMs,
      onFailure: (error) => logger.warn({ reason: (error as Error).message }, 'payment.due.failed'),
    });
  }

  start(): void {
    this.looking.start();
  }

  stop(): Promise<void> {
    return this.looking.stop();
  }

  /** A payment about which the provider does not tell is asked for again at its next time. */
  private async settleDue(): Promise<void> {
    const { database, waiting, logger } = this.options;
    const due = await takeDue(database, MAX_DUE);
    await Promise.all(
      due.map((key) =>
        waiting
          .settle(key)
          .catch((error: Error) => logger.warn({ paymentId: key.id, reason: error.message }, 'payment.due.put_off')),
      ),
    );
  }
}
