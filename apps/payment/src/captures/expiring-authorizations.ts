/** Counts the money that is held and will soon be free again, for whoever reads the metrics. */
import { gauge, type Logger } from '@shop/observability';
import type { Database, Statement } from '@shop/postgres';
import { Repeating } from '@shop/resilience';

const expiring = gauge(
  'payment_authorizations_expiring',
  'Authorized payments that will soon expire and are not captured; each replica reports all of them',
);

const INTERVAL_MS = 15_000;

export class ExpiringAuthorizations {
  private readonly counting: Repeating;

  constructor(
    private readonly database: Database,
    logger: Logger,
  ) {
    this.counting = new Repeating(() => this.count(), {
      everyMs: INTERVAL_MS,
      onFailure: (error) => logger.warn({ reason: (error as Error).message }, 'payment.authorizations.not_counted'),
    });
  }

  start(): void {
    this.counting.start();
  }

  stop(): Promise<void> {
    return this.counting.stop();
  }

  private async count(): Promise<void> {
    const [row] = await this.database.query<{ count: number }>(countExpiring);
    expiring.set(row!.count);
  }
}

// Whatever is held is looked at again, so the index of `check_at` has these rows, and few others.
const countExpiring: Statement = {
  name: 'payment.count-expiring',
  text: `
    select count(*)::int as count from payment
    where check_at is not null and status = 'authorized' and expiry_told`,
};
