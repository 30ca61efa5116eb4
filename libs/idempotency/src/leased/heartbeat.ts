/** Extends the leases of the work in this process, with one statement for all of them. */
import { LeaseLostError } from '../ledger/lease';
import type { Held, Kind, Ledger, Store } from '../ledger/ledger';
import { idOf } from '../settle';

/** The number of heartbeats in the time of one lease. Two may fail before the lease expires. */
const BEATS_PER_LEASE = 3;

export class Heartbeat<K extends Kind> {
  private readonly held = new Map<string, { held: Held; controller: AbortController }>();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly store: Store<K>,
    private readonly ledger: Ledger<K>,
    private readonly options: { leaseMs: number; beats: boolean },
  ) {}

  /** The signal aborts when the heartbeat finds that somebody else has the lease. */
  hold(held: Held): AbortSignal {
    const controller = new AbortController();
    this.held.set(nameOf(held), { held, controller });
    const { leaseMs, beats } = this.options;
    if (beats) this.timer ??= setInterval(() => void this.beat(), leaseMs / BEATS_PER_LEASE).unref();
    return controller.signal;
  }

  letGo(held: Held): void {
    this.held.delete(nameOf(held));
    if (this.held.size === 0) this.close();
  }

  close(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private async beat(): Promise<void> {
    const all = [...this.held.values()];
    const beating = this.ledger.extend(
      this.store,
      all.map(({ held }) => held),
      this.options.leaseMs,
    );
    // If the database is away for a moment, the next heartbeat asks again. If it is away too long, the token decides.
    const kept = await beating.catch(() => undefined);
    if (!kept) return;
    for (const { held, controller } of all) {
      if (!kept.has(held.token) && this.held.has(nameOf(held))) controller.abort(new LeaseLostError(held.key));
    }
  }
}

const nameOf = (held: Held): string => `${idOf(held)}\n${held.token}`;
