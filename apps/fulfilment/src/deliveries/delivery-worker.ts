/**
 * Works on the deliveries whose time has come. Every replica does so, each on others: a row is taken for the time of a
 * lease, and whoever ends the lease names its token. A few are in work at a time, so a slow one does not hold the others up.
 */
import { counter, inTraceOf, type Logger } from '@shop/observability';
import type { Database } from '@shop/postgres';
import { DueTimer, Repeating, RetryableError, TerminalError } from '@shop/resilience';
import { putOff } from './deliveries.repository';
import { extendLeases, takeDue, type TakenDelivery } from './taking-deliveries';
import { NotAskedError } from './working-on-deliveries';

export interface DeliveryWorkerOptions {
  database: Database;
  /** Rejects when nothing became known. */
  workOn: (taken: TakenDelivery) => Promise<void>;
  logger: Logger;
  /** How often to look without being woken. */
  everyMs?: number;
}

const EVERY_MS = 500;
/** One call of the carrier each; stops need some of its calls too. */
const MAX_IN_WORK = 12;
/** What a process that dies has in work waits so long. One that lives extends its leases, because a carrier may be slow. */
const LEASE_SECONDS = 15;
const EXTEND_EVERY_MS = 4_000;

const worked = counter('delivery_work_total', 'Times that the worker has had a delivery, by what came of it', [
  'outcome',
]);

export class DeliveryWorker {
  private readonly timer: DueTimer;
  private readonly extending: Repeating;
  private readonly inWork = new Map<TakenDelivery, Promise<void>>();

  constructor(private readonly options: DeliveryWorkerOptions) {
    const { everyMs = EVERY_MS, logger } = options;
    this.timer = new DueTimer({
      job: () => this.look(),
      atMostMs: everyMs,
      onFailure: (error) => logger.warn({ reason: nameOf(error) }, 'delivery.look.failed'),
    });
    this.extending = new Repeating(() => this.extend(), {
      everyMs: EXTEND_EVERY_MS,
      onFailure: (error) => logger.warn({ reason: nameOf(error) }, 'delivery.extend.failed'),
    });
  }

  start(): void {
    this.timer.start();
    this.extending.start({ now: false });
  }

  /** Call it when there is a new delivery. Without it, the delivery is found a little later. */
  wake(): void {
    this.timer.expectIn(0);
  }

  async stop(): Promise<void> {
    await this.timer.stop();
    await Promise.all(this.inWork.values());
    await this.extending.stop();
  }

  private async look(): Promise<number> {
    const free = MAX_IN_WORK - this.inWork.size;
    if (free > 0) {
      const taken = await takeDue(this.options.database, free, LEASE_SECONDS);
      for (const one of taken) this.begin(one);
    }
    return Infinity;
  }

  private async extend(): Promise<void> {
    if (this.inWork.size > 0) await extendLeases(this.options.database, [...this.inWork.keys()], LEASE_SECONDS);
  }

  private begin(taken: TakenDelivery): void {
    const work = inTraceOf('work on delivery', taken.trace, () => this.workOn(taken)).finally(() => {
      this.inWork.delete(taken);
      // All places were taken, so there may be more.
      if (this.inWork.size === MAX_IN_WORK - 1) this.wake();
    });
    this.inWork.set(taken, work);
  }

  private async workOn(taken: TakenDelivery): Promise<void> {
    const { database, workOn, logger } = this.options;
    const { tenant, id: deliveryId } = taken;
    try {
      await workOn(taken);
      worked.inc({ outcome: 'known' });
    } catch (error) {
      worked.inc({ outcome: 'put_off' });
      logger.warn({ deliveryId, reason: nameOf(error) }, 'delivery.put_off');
      const { retryAfterMs } = error as { retryAfterMs?: number };
      const code = error instanceof RetryableError || error instanceof TerminalError ? 'not_answered' : 'failed';
      // If the database is away too, the lease ends by itself.
      const isUnasked = error instanceof NotAskedError && !taken.askedBefore;
      const ending = { tenant, id: deliveryId, token: taken.token, error: code, retryAfterMs, isUnasked };
      await putOff(database, ending).catch((failure: unknown) =>
        logger.warn({ deliveryId, reason: nameOf(failure) }, 'delivery.put_off.failed'),
      );
    }
  }
}

/** Our own words and codes. The message of another error may repeat what a stranger wrote. */
function nameOf(error: unknown): string {
  if (error instanceof RetryableError || error instanceof TerminalError) return error.message;
  const { name, code } = error as { name?: string; code?: unknown };
  return typeof code === 'string' ? code : (name ?? 'unknown');
}
