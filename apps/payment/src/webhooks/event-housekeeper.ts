/** Looks after the table of events: how old the oldest open one is, and what ended long ago and can go. */
import { gauge, type Logger } from '@shop/observability';
import type { Database } from '@shop/postgres';
import { Repeating } from '@shop/resilience';
import { findOldestOpenSeconds, removeEnded } from './provider-events.repository';

const MEASURE_EVERY_MS = 5_000;
const REAP_EVERY_MS = 10 * 60_000;
/** A statement for so many rows takes some milliseconds. */
const MAX_ROWS = 500;
/** The others go in the next round. */
const MAX_BATCHES = 100;

const oldest = gauge('provider_event_oldest_open_seconds', 'The time since the oldest open event came');

export class EventHousekeeper {
  private stopped = false;
  private readonly jobs: Repeating[];

  constructor(
    private readonly database: Database,
    private readonly logger: Logger,
  ) {
    const onFailure = (error: unknown) =>
      logger.warn({ reason: (error as Error).message }, 'provider_event.housekeeping.failed');
    const measure = async () => oldest.set(await findOldestOpenSeconds(database));
    this.jobs = [
      new Repeating(measure, { everyMs: MEASURE_EVERY_MS, onFailure }),
      new Repeating(() => this.reap(), { everyMs: REAP_EVERY_MS, onFailure }),
    ];
  }

  start(): void {
    for (const job of this.jobs) job.start();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await Promise.all(this.jobs.map((job) => job.stop()));
  }

  async reap(): Promise<void> {
    let removed = 0;
    for (let batch = 1, found = MAX_ROWS; found === MAX_ROWS && batch <= MAX_BATCHES && !this.stopped; batch++) {
      found = await removeEnded(this.database, MAX_ROWS);
      removed += found;
    }
    if (removed > 0) this.logger.info({ removed }, 'provider_event.reaped');
  }
}
