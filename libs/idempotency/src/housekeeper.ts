/** What a ledger needs in the background: work that was left is resumed, and what has expired is removed. */
import type { Logger } from '@shop/observability';
import { countDecision } from './decisions';
import type { LeasedWorks } from './leased/leased-works';
import type { Kind, Ledger, Postgres, Store } from './ledger/ledger';

/** How often left work is looked for; a look is one statement by an index of pending rows. */
const COMPLETE_EVERY_MS = 2_000;
/** Expired answers may stay a little; walks of all replicas together read the table this often at most. */
const REAP_EVERY_MS = 10 * 60_000;
/** Between two stretches of a walk, so that requests are never kept waiting by it. */
const REAP_PAUSE_MS = 50;

export class Housekeeper<K extends Kind = Postgres> {
  private stopped = false;
  private readonly timers: NodeJS.Timeout[] = [];
  private readonly running = new Set<Promise<void>>();

  constructor(
    private readonly store: Store<K>,
    private readonly ledger: Ledger<K>,
    private readonly works: LeasedWorks<K>,
    private readonly logger?: Logger,
  ) {}

  start(): void {
    this.every(COMPLETE_EVERY_MS, async () => void (await this.works.resumeOverdue()));
    this.every(REAP_EVERY_MS, () => this.reap());
  }

  async stop(): Promise<void> {
    this.stopped = true;
    for (const timer of this.timers) clearInterval(timer);
    await Promise.all(this.running);
  }

  /** One walk over the ledger. */
  async reap(): Promise<void> {
    let removed = 0;
    let start = 0;
    do {
      const { changed, next } = await this.ledger.reap(this.store, start);
      removed += changed;
      start = next;
      if (start > 0) await new Promise((resolve) => setTimeout(resolve, REAP_PAUSE_MS));
    } while (start > 0 && !this.stopped);
    if (removed === 0) return;
    countDecision('expired', removed);
    this.logger?.info({ removed }, 'idempotency.reaped');
  }

  private every(ms: number, job: () => Promise<void>): void {
    let busy = false;
    const timer = setInterval(() => {
      if (busy) return;
      busy = true;
      const run = job()
        .catch((error: unknown) =>
          this.logger?.warn({ reason: (error as Error).message }, 'idempotency.housekeeping.failed'),
        )
        .finally(() => {
          busy = false;
          this.running.delete(run);
        });
      this.running.add(run);
    }, ms);
    this.timers.push(timer.unref());
  }
}
