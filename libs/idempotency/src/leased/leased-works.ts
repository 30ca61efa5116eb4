/**
 * The leased mode: work that calls outside, step by step.
 *
 * A claim is committed as a pending row under a lease, then the work runs. Between its outside calls it reaches recovery
 * points: transactions that commit its rows, the point's result and a check of the lease together. A heartbeat keeps the
 * lease while the process lives. After a crash the lease runs out, and whoever comes first takes the row over and runs
 * the work again: points that were reached answer their stored result, so only what came behind the last one is done
 * again, with the same outside key. An owner that was only asleep finds its token gone and can write nothing.
 *
 * Requests and commands use it alike: a request is claimed here, a command by `runOnce` with the rest of its batch.
 */
import { GATHER_MS, isLockTimeout, Lane } from '@shop/postgres';
import { Problem } from '@shop/problem';
import { RetryableError } from '@shop/resilience';
import { refusalOf } from '../answer';
import { countDecision, countDecisions } from '../decisions';
import { Heartbeat } from './heartbeat';
import { type Lease, LeaseLostError, newLeaseToken } from '../ledger/lease';
import { type Attempt, endTogether, type Ending, type KeptInput, LeasedAttempt, type LeasedRun } from './leased-work';
import type { Kind, Ledger, Postgres, Store, Unfinished } from '../ledger/ledger';
import { isKept } from '../policy';
import { DEFAULT_LEASE_MS, type Leased, leasedClaimOf, OWNER } from '../run-once';
import { type Claim, type Entry, type Key, type Outcome, repeatOf } from '../settle';

export interface LeaseOptions {
  /** After a crash work goes on this much later; three missed heartbeats long. */
  leaseMs?: number;
  /** Told of an attempt that failed for a passing reason; the work goes on later. */
  onFailure?: (failure: { work: string; attempt: number; error: unknown }) => void;
}

/** A word for the log, and for whoever looks at the row. */
const MAX_NAME_LENGTH = 100;
/** Request timeout, too early, too many requests: the same may work later. */
const PASSING = [408, 425, 429];
/** Works that one look of the completer takes over. */
const MAX_RESUMED = 16;
/** The works of a batch of commands end at about the same time; none of them is turned away here. */
const MAX_ENDING = 100_000;

export class LeasedWorks<K extends Kind = Postgres> {
  readonly leaseMs: number;
  private readonly runs = new Map<string, LeasedRun<never, K>>();
  private readonly heartbeat: Heartbeat<K>;
  private readonly ending: Lane<Ending<K>, void>;

  constructor(
    private readonly store: Store<K>,
    private readonly ledger: Ledger<K>,
    private readonly find: (key: Key) => Promise<Entry | undefined>,
    private readonly options: LeaseOptions,
  ) {
    this.leaseMs = options.leaseMs ?? DEFAULT_LEASE_MS;
    this.heartbeat = new Heartbeat(store, ledger, this.leaseMs);
    this.ending = new Lane({
      run: (endings) => endTogether(store, ledger, endings),
      maxWaiting: MAX_ENDING,
      gatherMs: GATHER_MS,
    });
  }

  /** Gives work a name, under which whoever resumes it finds its code. `Input` has to be JSON. */
  define<Input>(name: string, run: LeasedRun<Input, K>): void {
    if (name === '' || name.length > MAX_NAME_LENGTH) {
      throw new Error(`leased work has a name of 1 to ${MAX_NAME_LENGTH} characters`);
    }
    if (this.runs.has(name)) throw new Error(`there is leased work named ${name} already`);
    this.runs.set(name, run);
  }

  /** Does the work once for a request. @throws Problem 503 `outcome_unknown` when that cannot be told now */
  async perform(name: string, claim: Claim, input: unknown): Promise<Outcome> {
    const outcome = await this.attempt(name, claim, input);
    countDecisions([outcome]);
    return outcome;
  }

  /**
   * What a request gets whose key is in the ledger. Left work is gone on with, if its code is here.
   * @throws Problem like `perform`
   */
  async repeat(entry: Entry, fingerprint: Buffer): Promise<Outcome> {
    const outcome = repeatOf(entry, fingerprint);
    return outcome.kind === 'in-use' && outcome.left ? this.resume(outcome.left).catch(tellUnknown) : outcome;
  }

  /** Carries out what was begun. @throws what the work has thrown; its lease is given back then */
  carryOut({ claim, call, token }: Leased): Promise<Outcome> {
    const { scope, key, retentionHours, redact } = claim;
    const kept = { input: call.input, retentionHours, redact };
    return this.run({ scope, key, token, name: call.leased, kept, points: {}, attempt: 1, ageMs: 0 });
  }

  /** Goes on with work that nobody is on any more; `in-use` if somebody is, or its code is not here. */
  async resume({ scope, key }: Key): Promise<Outcome> {
    const taking = this.store.transaction((tx) =>
      this.ledger.resume(tx, { scope, key }, [...this.runs.keys()], this.lease),
    );
    const unfinished = await taking.catch((error: unknown) => {
      if (!isLockTimeout(error)) throw error;
      // Whoever had it is still in its last statement, or sleeps there.
      return undefined;
    });
    return unfinished ? this.run(attemptOf(unfinished)) : { kind: 'in-use' };
  }

  /** Takes over what nobody is on any more and carries it out; answers how many works. */
  async resumeOverdue(): Promise<number> {
    if (this.runs.size === 0) return 0;
    const overdue = await this.store.transaction((tx) =>
      this.ledger.resumeOverdue(tx, [...this.runs.keys()], this.lease, MAX_RESUMED),
    );
    const results = await Promise.allSettled(overdue.map((unfinished) => this.run(attemptOf(unfinished))));
    countDecision('resumed', results.filter(({ status }) => status === 'fulfilled').length);
    return overdue.length;
  }

  close(): void {
    this.heartbeat.close();
  }

  private async attempt(name: string, claim: Claim, input: unknown): Promise<Outcome> {
    const entry = await this.find(claim);
    if (entry) return this.repeat(entry, claim.fingerprint);
    const leased: Leased = { kind: 'begun', claim, call: { leased: name, input }, token: newLeaseToken() };
    try {
      await this.store.transaction(async (tx) => this.ledger.lease(tx, [leasedClaimOf(leased)], this.lease));
    } catch (error) {
      if (this.ledger.isLostRace(error)) return this.attempt(name, claim, input);
      throw error;
    }
    return this.carryOut(leased).catch(tellUnknown);
  }

  private async run(one: Attempt): Promise<Outcome> {
    const run = this.runs.get(one.name)!;
    const work = new LeasedAttempt(this.store, this.ledger, this.ending, one, this.heartbeat.hold(one));
    const resumed = one.attempt > 1;
    try {
      const { answer } = await run(work, one.kept.input as never).catch((error: unknown) => {
        if (error instanceof Problem && isKept(refusalOf(error))) return work.refuse(error);
        throw error;
      });
      return { kind: 'fresh', answer, resumed };
    } catch (error) {
      // Also when an outside call was broken off because of that.
      if (work.signal.aborted || error instanceof LeaseLostError) return { kind: 'in-use' };
      return await this.afterFailure(one, work, error);
    } finally {
      this.heartbeat.letGo(one);
    }
  }

  private async afterFailure(one: Attempt, work: LeasedAttempt<K>, error: unknown): Promise<Outcome> {
    if (!work.begun && isRefusal(error)) {
      await work.forget();
      throw error;
    }
    // If the lease is somebody else's by now, the failure may come of what they have written meanwhile.
    if (!(await work.giveBack())) return { kind: 'in-use' };
    this.options.onFailure?.({ work: one.name, attempt: one.attempt, error });
    throw error;
  }

  private get lease(): Lease {
    return { owner: OWNER, durationMs: this.leaseMs };
  }
}

function attemptOf({ work, input, ...unfinished }: Unfinished): Attempt {
  return { ...unfinished, name: work, kept: input as KeptInput };
}

/** Such as 400 or 403: the request is at fault, and nothing is to be gone on with. */
function isRefusal(error: unknown): boolean {
  return error instanceof Problem && error.getStatus() < 500 && !PASSING.includes(error.getStatus());
}

/** For a request: its work was begun, and failed in a way that does not tell what came of it. */
function tellUnknown(cause: unknown): never {
  if (cause instanceof Problem) throw cause;
  const waitMs = cause instanceof RetryableError ? cause.retryAfterMs : undefined;
  const seconds = Math.max(1, Math.ceil((waitMs ?? 0) / 1_000));
  throw new Problem(
    503,
    'outcome_unknown',
    'the outcome is not known yet; the same request with the same Idempotency-Key goes on where this one ended',
    { headers: { 'retry-after': `${seconds}` }, cause },
  );
}
