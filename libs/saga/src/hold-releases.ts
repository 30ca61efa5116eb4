/**
 * Lets the sagas go on whose step is held no longer. Any replica finds them, at a bounded pace: thousands that have waited
 * together would be a wave for the participants.
 */
import type { Logger } from '@shop/observability';
import type { Database } from '@shop/postgres';
import { Pace, Repeating } from '@shop/resilience';
import type { SagaEngine } from './saga.engine';
import { findReleased } from './step-holds.repository';

export interface HoldReleasesOptions {
  database: Database;
  engine: Pick<SagaEngine, 'known' | 'dispatch'>;
  logger: Logger;
  /** How many sagas a second each replica lets go. */
  perSecond?: number;
  intervalMs?: number;
}

const DEFAULT_PER_SECOND = 100;
const DEFAULT_INTERVAL_MS = 1_000;
/** So that one round is over soon, and the next one sees what has changed. */
const MAX_A_ROUND = 100;

export class HoldReleases {
  private readonly looking: Repeating;
  private readonly pace: Pace;
  private readonly stopping = new AbortController();

  constructor(private readonly options: HoldReleasesOptions) {
    const { perSecond = DEFAULT_PER_SECOND, intervalMs = DEFAULT_INTERVAL_MS } = options;
    this.pace = new Pace({ perSecond, burst: 1 });
    this.looking = new Repeating(() => this.letGo(), { everyMs: intervalMs, onFailure: (error) => this.tell(error) });
  }

  start(): void {
    this.looking.start();
  }

  stop(): Promise<void> {
    this.stopping.abort();
    return this.looking.stop();
  }

  /** Looks once for sagas that may go on. */
  wake(): Promise<void> {
    return this.letGo().catch((error: unknown) => this.tell(error));
  }

  private async letGo(): Promise<void> {
    const { database, engine } = this.options;
    for (const id of await findReleased(database, engine.known, MAX_A_ROUND)) {
      await this.pace.take(1, this.stopping.signal);
      // Another replica may have let it go, and then the event does not fit any more.
      await engine.dispatch(id, { type: 'released' });
    }
  }

  private tell(error: unknown): void {
    this.options.logger.warn({ reason: (error as Error).message }, 'saga.releases.failed');
  }
}
