/** The steps of one backfill under one lease, at the rate that operators have said. */
import type { Database } from '@shop/postgres';
import { Pace, Repeating } from '@shop/resilience';
import type { Backfill, Cursor, Stretch } from './backfill';
import { type Held, type Lease, lockLease, renewLease, writeCheckpoint, writeEstimate } from './backfill.repository';

/** Thrown when the backfill was paused, or somebody else has taken it over. Nothing of the step was kept. */
export class LeaseLostError extends Error {}

export interface Worked extends Pick<Stretch<Cursor>, 'worked' | 'done'> {
  /** How long its transaction took. */
  seconds: number;
}

interface Work {
  database: Database;
  backfill: Backfill;
  held: Held;
  lease: Lease;
  stop: AbortSignal;
}

/**
 * Ends behind the last step, or behind the current one when it is to stop.
 * @throws LeaseLostError
 */
export async function* workUnderLease({ database, backfill, held, lease, stop }: Work): AsyncGenerator<Worked> {
  const keeper = new LeaseKeeper(database, lease, held.ratePerSecond);
  try {
    if (held.estimate === null && backfill.estimate) await writeEstimate(database, lease, await backfill.estimate());
    let rhythm = rhythmOf(backfill, keeper.ratePerSecond);
    let { cursor } = held;
    for (let done = false; !done && !stop.aborted;) {
      if (rhythm.told !== keeper.ratePerSecond) rhythm = rhythmOf(backfill, keeper.ratePerSecond);
      const step = await backfill.prepare(cursor, rhythm.limit);
      const began = performance.now();
      const stretch = await keeper.whileStepping(() =>
        database.transaction(async (tx) => {
          const told = await lockLease(tx, lease);
          if (!told) throw new LeaseLostError();
          keeper.ratePerSecond = told.ratePerSecond;
          const stretch = await step(tx);
          writeCheckpoint(tx, lease, stretch);
          return stretch;
        }),
      );
      const { worked } = stretch;
      ({ cursor, done } = stretch);
      yield { worked, done, seconds: (performance.now() - began) / 1_000 };
      // A step that found nothing was a look all the same.
      if (!done) await rhythm.pace.take(Math.max(1, worked), AbortSignal.any([stop, keeper.lost])).catch(unlessStopped);
    }
  } finally {
    await keeper.stop();
  }

  function unlessStopped(reason: unknown): void {
    if (!stop.aborted) throw reason;
  }
}

/** No step has more than one second's worth of rows: so a low rate makes small steps, and not long waits. */
function rhythmOf(
  { batch, ratePerSecond }: Backfill,
  told: number | null,
): { told: number | null; limit: number; pace: Pace } {
  const perSecond = told ?? ratePerSecond;
  const limit = Math.min(batch, perSecond);
  return { told, limit, pace: new Pace({ perSecond, burst: limit }) };
}

/** Renews the lease while something is read, or waits for its turn. A step renews it by itself. */
class LeaseKeeper {
  private readonly losing = new AbortController();
  private readonly renewing: Repeating;
  private isStepping = false;

  constructor(
    private readonly database: Database,
    private readonly lease: Lease,
    /** What operators have said last. */
    public ratePerSecond: number | null,
  ) {
    this.renewing = new Repeating(() => this.renew(), {
      everyMs: lease.leaseMs / 3,
      // The next step asks for the lease, and tells what is wrong.
      onFailure: () => undefined,
    });
    this.renewing.start({ now: false });
  }

  get lost(): AbortSignal {
    return this.losing.signal;
  }

  /** The row is locked by the step itself: a renewal beside it would only wait. */
  async whileStepping<T>(step: () => Promise<T>): Promise<T> {
    this.isStepping = true;
    try {
      return await step();
    } finally {
      this.isStepping = false;
    }
  }

  stop(): Promise<void> {
    return this.renewing.stop();
  }

  private async renew(): Promise<void> {
    if (this.isStepping) return;
    const told = await renewLease(this.database, this.lease);
    if (told) this.ratePerSecond = told.ratePerSecond;
    else if (!this.isStepping) this.losing.abort(new LeaseLostError());
  }
}
