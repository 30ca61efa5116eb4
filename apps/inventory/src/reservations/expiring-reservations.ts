/**
 * Ends reservations whose time is over. Every replica does so, each for other rows. The row decides: until its
 * transaction has committed, the reservation is open, whatever the clocks say.
 */
import { counter, type Logger } from '@shop/observability';
import { type Database, isPassing, type Tx } from '@shop/postgres';
import { loadShelf, saveShelf } from '../stock/shelf.repository';
import { DueTimer } from '@shop/resilience';
import { lockOverdue, msUntilExpiry, type OverdueKey } from './expiring.repository';

const expired = counter('inventory_reservations_expired_total', 'Reservations whose time was over');

/** The most reservations of one transaction, which locks the stock of all of them. */
const BATCH = 100;
/** Other replicas make reservations that end before those that this one knows. */
const LOOK_EVERY_MS = 5_000;

export class ExpiringReservations {
  private readonly timer: DueTimer;
  /** Those that failed since the timer last slept. The others must not wait for them. */
  private readonly putOff = new Set<string>();

  constructor(
    private readonly database: Database,
    private readonly logger: Logger,
    /** Told after the commit that pieces are free for which somebody waits. */
    private readonly wakeFilling: () => void,
  ) {
    this.timer = new DueTimer({
      job: () => this.expireDue(),
      atMostMs: LOOK_EVERY_MS,
      onFailure: (error) => logger.warn({ reason: (error as Error).message }, 'reservation.expiry.failed'),
    });
  }

  start(): void {
    this.timer.start();
  }

  stop(): Promise<void> {
    return this.timer.stop();
  }

  /** A reservation was made here that ends in this time. */
  expectIn(ms: number): void {
    this.timer.expectIn(ms);
  }

  /** Ends one batch, and returns the time until the next reservation ends. */
  async expireDue(): Promise<number> {
    if ((await this.expireBatch()) === BATCH) return 0;
    const hasFailed = this.putOff.size > 0;
    this.putOff.clear();
    // What was put off is due, and would be found at once.
    return hasFailed ? LOOK_EVERY_MS : msUntilExpiry(this.database, LOOK_EVERY_MS);
  }

  /** Returns how many were found. */
  private async expireBatch(): Promise<number> {
    let found: OverdueKey[] = [];
    try {
      await this.database.transaction(async (tx) => {
        found = await lockOverdue(tx, { limit: BATCH, except: [...this.putOff] });
        if (found.length > 0) await this.expire(tx, found);
      });
    } catch (error) {
      if (found.length === 0 || isPassing(error)) throw error;
      for (const key of found) await this.expireAlone(key);
    }
    return found.length;
  }

  /** One of a batch that failed: it may be the one whose stock does not agree with it. */
  private async expireAlone(key: OverdueKey): Promise<void> {
    try {
      await this.database.transaction((tx) => this.expire(tx, [key]));
    } catch (error) {
      if (isPassing(error)) throw error;
      this.putOff.add(key.id);
      const { message } = error as Error;
      this.logger.error({ reservationId: key.id, reason: message }, 'reservation.expiry.put_off');
    }
  }

  private async expire(tx: Tx, keys: readonly OverdueKey[]): Promise<void> {
    const shelf = await loadShelf(tx, { reservations: keys, skus: [] });
    const ended = keys.filter(({ tenant, id }) => shelf.expire(tenant, id) === 'expired').length;
    saveShelf(tx, shelf);
    const isAwaited = shelf.fillable.length > 0;
    tx.afterCommit(() => {
      if (isAwaited) this.wakeFilling();
      if (ended === 0) return;
      expired.inc(ended);
      this.logger.info({ count: ended }, 'reservation.expired');
    });
  }
}
