/**
 * Gives pieces that have come to those who wait for them, in the order of the queue. Nobody can overtake meanwhile: what
 * is awaited is reserved, so it is not free for others. Every replica does so; the locks of the rows divide the work.
 */
import { counter, type Logger } from '@shop/observability';
import { type Database, isPassing } from '@shop/postgres';
import { findFillable } from '../stock/backorders.repository';
import type { OwnedSku } from '../stock/pieces';
import { DueTimer } from '@shop/resilience';
import { fillQueue } from './fill-queue';

const filled = counter('inventory_backorders_filled_total', 'Reservations in queues that got pieces');

/** The most SKUs of one round. The others follow in the next one. */
const SKUS = 20;
/** A delivery that another replica was told of waits for this long at most. */
const LOOK_EVERY_MS = 2_000;

export class FillingBackorders {
  private readonly timer: DueTimer;

  constructor(
    private readonly database: Database,
    private readonly logger: Logger,
  ) {
    this.timer = new DueTimer({
      job: () => this.fillDue(),
      atMostMs: LOOK_EVERY_MS,
      onFailure: (error) => logger.warn({ reason: (error as Error).message }, 'backorder.filling.failed'),
    });
  }

  start(): void {
    this.timer.start();
  }

  stop(): Promise<void> {
    return this.timer.stop();
  }

  /** Pieces have come here, for which somebody may wait. */
  expectNow(): void {
    this.timer.expectIn(0);
  }

  /** One round over the queues. Returns the time until the next one. */
  async fillDue(): Promise<number> {
    const due = await findFillable(this.database, SKUS);
    let given = 0;
    for (const queue of due) given += await this.fillOne(queue);
    // Of a queue with more entries than one transaction fills, and of more queues, the rest comes at once.
    return given > 0 ? 0 : LOOK_EVERY_MS;
  }

  /** Returns how many got pieces. A SKU that fails does not hold up the others. */
  private async fillOne(queue: OwnedSku): Promise<number> {
    try {
      const count = await fillQueue(this.database, queue);
      if (count === 0) return 0;
      filled.inc(count);
      this.logger.info({ tenant: queue.tenant, sku: queue.sku, count }, 'backorder.filled');
      return count;
    } catch (error) {
      if (isPassing(error)) throw error;
      this.logger.error(
        { tenant: queue.tenant, sku: queue.sku, reason: (error as Error).message },
        'backorder.put_off',
      );
      return 0;
    }
  }
}
