/**
 * The leased mode: work that calls outside, step by step.
 *
 * A claim is committed as a pending row under a lease, then the work runs. Between its outside calls it reaches recovery
 * points: transactions that commit its rows, the point's result and a check of the lease together. A heartbeat keeps the
 * lease while the process lives. After a crash the lease runs out, and whoever comes first takes the row over and runs
 * the work again: points that were reached answer their stored result, so only what came behind the last one is done
 * again, with the same outside key. An owner that was only asleep finds its token gone and can write nothing.
 */
import { hostname } from 'node:os';
import { isLockTimeout } from '@shop/postgres';
import { Problem } from '@shop/problem';
import { RetryableError } from '@shop/resilience';
import { refusalOf } from '../answer';
import { countDecision, countDecisions } from '../decisions';
import { Heartbeat } from './heartbeat';
import { newLeaseToken } from '../ledger/lease';
import { type KeptInput, type LeasedRun, LeasedTry, type Try } from './leased-work';
import type { Key, Kind, Ledger, Postgres, Store, Unfinished } from '../ledger/ledger';
import { isKept } from '../policy';
import { type Claim, type Entry, isLeft, type Outcome, repeatOf } from '../settle';

export interface LeaseOptions {
  /** After a crash work goes on this much later; three missed heartbeats long. */
  leaseMs?: number;
  /** Told of a try that failed for a passing reason; the work goes on later. */
  onFailure?: (failure: { work: string; attempt: number; error: unknown }) => void;
}

const DEFAULT_LEASE_MS = 10_000;
const OWNER = `${hostname()}/${process.pid}`;
/** A word for the log, and for whoever looks at the row. */
const MAX_NAME_LENGTH = 100;
/** Request timeout, too early, too many requests: the same may work later. */
const PASSING = [408, 425, 429];
/** Works that one look of the completer takes over. */
const MAX_RESUMED = 16;

export class LeasedWorks<K extends Kind = Postgres> {
  private readonly runs = new Map<string, LeasedRun<never, K>>();
  private readonly heartbeat: Heartbeat<K>;
  private readonly leaseMs: number;

  constructor(
    private readonly store: Store<K>,
    private readonly ledger: Ledger<K>,
    private readonly find: (key: Key) => Promise<Entry | undefined>,
    private readonly options: LeaseOptions,
  ) {
    this.leaseMs = options.leaseMs ?? DEFAULT_LEASE_MS;
    this.heartbeat = new Heartbeat(store, ledger, this.leaseMs);
  }

  define<Input>(name: string, run: LeasedRun<Input, K>): (claim: Claim, input: Input) => Promise<Outcome> {
    if (name === '' || name.length > MAX_NAME_LENGTH) {
      throw new Error(`leased work has a name of 1 to ${MAX_NAME_LENGTH} characters`);
    }
    if (this.runs.has(name)) throw new Error(`there is leased work named ${name} already`);
    this.runs.set(name, run);
    return async (claim, input) => {
      const outcome = await this.perform(name, claim, input);
      countDecisions([outcome]);
      return outcome;
    };
  }

  /** Takes over what nobody is on any more and carries it out; answers how many works. */
  async resumeOverdue(): Promise<number> {
    if (this.runs.size === 0) return 0;
    const lease = this.newLease();
    const overdue = await this.store.transaction((tx) =>
      this.ledger.resumeOverdue(tx, [...this.runs.keys()], lease, MAX_RESUMED),
    );
    const tries = overdue.map((unfinished) => this.carryOut(tryOf(unfinished, lease.token)));
    const results = await Promise.allSettled(tries);
    countDecision('resumed', results.filter(({ status }) => status === 'fulfilled').length);
    return overdue.length;
  }

  close(): void {
    this.heartbeat.close();
  }

  /** What a request gets whose key is in the ledger. Left work is gone on with, if its code is here. */
  async repeat(entry: Entry, fingerprint: Buffer): Promise<Outcome> {
    return isLeft(entry, fingerprint) ? this.resume(entry) : repeatOf(entry, fingerprint);
  }

  private async resume({ scope, key }: Key): Promise<Outcome> {
    const lease = this.newLease();
    const taking = this.store.transaction((tx) => this.ledger.resume(tx, { scope, key }, [...this.runs.keys()], lease));
    const unfinished = await taking.catch((error: unknown) => {
      if (!isLockTimeout(error)) throw error;
      // Whoever had it is still in its last statement, or sleeps there.
      return undefined;
    });
    return unfinished ? this.carryOut(tryOf(unfinished, lease.token)) : { kind: 'in-use' };
  }

  private async perform(name: string, claim: Claim, input: unknown): Promise<Outcome> {
    const entry = await this.find(claim);
    if (entry) return this.repeat(entry, claim.fingerprint);
    const { scope, key, retentionHours, redact } = claim;
    const lease = this.newLease();
    const kept = { input, retentionHours, redact };
    try {
      await this.store.transaction(async (tx) => this.ledger.lease(tx, [{ ...claim, work: name, input: kept }], lease));
    } catch (error) {
      if (this.ledger.isLostRace(error)) return this.perform(name, claim, input);
      throw error;
    }
    return this.carryOut({ scope, key, token: lease.token, name, kept, points: {}, attempt: 1 });
  }

  private async carryOut(one: Try): Promise<Outcome> {
    const run = this.runs.get(one.name)!;
    const work = new LeasedTry(this.store, this.ledger, one, this.heartbeat.hold(one));
    const resumed = one.attempt > 1;
    try {
      const { answer } = await run(work, one.kept.input as never).catch((error: unknown) => {
        if (error instanceof Problem && isKept(refusalOf(error))) return work.refuse(error);
        throw error;
      });
      return { kind: 'fresh', answer, resumed };
    } catch (error) {
      // Also when an outside call was broken off because of that.
      if (work.signal.aborted || this.ledger.isLeaseLost(error)) return { kind: 'in-use' };
      return await this.afterFailure(one, work, error);
    } finally {
      this.heartbeat.letGo(one);
    }
  }

  private async afterFailure(one: Try, work: LeasedTry<K>, error: unknown): Promise<Outcome> {
    if (!work.begun && isRefusal(error)) {
      await work.forget();
      throw error;
    }
    // If the lease is somebody else's by now, the failure may come of what they have written meanwhile.
    if (!(await work.giveBack())) return { kind: 'in-use' };
    this.options.onFailure?.({ work: one.name, attempt: one.attempt, error });
    if (error instanceof Problem) throw error;
    throw outcomeUnknown(error);
  }

  private newLease() {
    return { owner: OWNER, token: newLeaseToken(), durationMs: this.leaseMs };
  }
}

function tryOf({ scope, key, work, input, points, attempt }: Unfinished, token: string): Try {
  return { scope, key, token, name: work, kept: input as KeptInput, points, attempt };
}

/** Such as 400 or 403: the request is at fault, and nothing is to be gone on with. */
function isRefusal(error: unknown): boolean {
  return error instanceof Problem && error.getStatus() < 500 && !PASSING.includes(error.getStatus());
}

function outcomeUnknown(cause: unknown): Problem {
  const waitMs = cause instanceof RetryableError ? cause.retryAfterMs : undefined;
  const seconds = Math.max(1, Math.ceil((waitMs ?? 0) / 1_000));
  return new Problem(
    503,
    'outcome_unknown',
    'the outcome is not known yet; the same request with the same Idempotency-Key goes on where this one ended',
    { headers: { 'retry-after': `${seconds}` }, cause },
  );
}
