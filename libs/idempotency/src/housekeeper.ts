/** The background tasks of a ledger: they resume work whose process has died, and remove expired entries. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from '@shop/observability';
import { Repeating } from '@shop/resilience';
import { countDecision } from './decisions';
import type { LeasedWorks } from './leased/leased-works';
import type { Kind, Ledger, Postgres, Store } from './ledger/ledger';

/** How often the completer looks for left work. One look is one statement that uses the index of pending rows. */
const COMPLETE_EVERY_MS = 2_000;
/** Expired answers may stay a while. All replicas together walk the table at most once in this time. */
const REAP_EVERY_MS = 10 * 60_000;
/** The pause between two stretches of a walk, so that requests never wait for the walk. */
const REAP_PAUSE_MS = 50;

export class Housekeeper<K extends Kind = Postgres> {
  private stopped = false;
  private readonly jobs: Repeating[];

  constructor(
    private readonly store: Store<K>,
    private readonly ledger: Ledger<K>,
    works: LeasedWorks<K>,
    private readonly logger?: Logger,
  ) {
    const onFailure = (error: unknown) =>
      logger?.warn({ reason: (error as Error).message }, 'idempotency.housekeeping.failed');
    this.jobs = [
      new Repeating(() => works.resumeOverdue(), { everyMs: COMPLETE_EVERY_MS, onFailure }),
      new Repeating(() => this.reap(), { everyMs: REAP_EVERY_MS, onFailure }),
    ];
  }

  start(): void {
    for (const job of this.jobs) job.start({ now: false });
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await Promise.all(this.jobs.map((job) => job.stop()));
  }

  /** One walk over the ledger. */
  async reap(): Promise<void> {
    let removed = 0;
    let start = 0;
    do {
      const { changed, next } = await this.ledger.reap(this.store, start);
      removed += changed;
      start = next;
      if (start > 0) await pause(REAP_PAUSE_MS);
    } while (start > 0 && !this.stopped);
    if (removed === 0) return;
    countDecision('expired', removed);
    this.logger?.info({ removed }, 'idempotency.reaped');
  }
}
