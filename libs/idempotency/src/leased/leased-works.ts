/**
 * The leased mode: work that makes outside calls, step by step.
 *
 * A claim is committed as a pending row under a lease. Then the work runs. Between its outside calls, the work reaches
 * recovery points. Each point is a transaction that commits the rows of the work, the result of the point and a check
 * of the lease together. A heartbeat extends the lease while the process lives.
 *
 * After a crash the lease expires. The first repeat or completer takes the row over and runs the work again. Points
 * that were reached return their stored result. So only the part after the last point is done again, with the same key
 * for outside calls. An owner that was only paused finds that its token is gone, and can write nothing.
 *
 * Requests and commands use it in the same way. A request is claimed here. `runOnce` claims a command with the rest of
 * its batch.
 */
import { currentSpan, inTraceOf } from '@shop/observability';
import { GATHER_MS, isLockTimeout, Lane } from '@shop/postgres';
import { Problem } from '@shop/problem';
import { Bulkhead, RetryableError } from '@shop/resilience';
import { refusalOf } from '../answer';
import { countDecision, countDecisions } from '../decisions';
import type { Failure } from './failures';
import { Heartbeat } from './heartbeat';
import { type Lease, LeaseLostError, newLeaseToken } from '../ledger/lease';
import { type Attempt, LeasedAttempt, type LeasedRun } from './leased-work';
import { type KeptInput, type SharedStep, writeTogether } from './shared-steps';
import { tenantIn } from '../http/caller';
import type { Kind, Ledger, Postgres, Store, Transactions, Unfinished } from '../ledger/ledger';
import { isKept } from '../policy';
import { DEFAULT_LEASE_MS, type Leased, leasedClaimOf, OWNER } from '../run-once';
import { type Claim, type Entry, type Key, type Outcome, repeatOf } from '../settle';

export interface LeaseOptions {
  /** After a crash, work is resumed after this time. It is as long as three missed heartbeats. */
  leaseMs?: number;
  /** False where the time of the leases is not that of this machine: nothing extends them then. */
  heartbeat?: boolean;
  onFailure?: (failure: Failure) => void;
}

/** The name is a short word for the log, and for people who read the row. */
const MAX_NAME_LENGTH = 100;
/** Request timeout, too early, too many requests: the same request may succeed later. */
const PASSING = [408, 425, 429];
/** The most works that the completer takes over in one look. */
const MAX_RESUMED = 16;
/** The works of a batch of commands take each step at about the same time. None of them may be refused here. */
const MAX_WAITING = 100_000;
const MAX_WAIT_MS = 30_000;
/** Transactions that works have for themselves, at once. Each takes a connection, and the lanes need some too. */
const OWN_TRANSACTIONS = 4;

export class LeasedWorks<K extends Kind = Postgres> {
  readonly leaseMs: number;
  private readonly runs = new Map<string, LeasedRun<never, K>>();
  private readonly heartbeat: Heartbeat<K>;
  private readonly shared: Lane<SharedStep<K>, boolean>;
  private readonly bulkhead = new Bulkhead({ calls: OWN_TRANSACTIONS, maxWaiting: MAX_WAITING });

  constructor(
    private readonly store: Store<K>,
    private readonly ledger: Ledger<K>,
    private readonly find: (key: Key) => Promise<Entry | undefined>,
    private readonly options: LeaseOptions,
  ) {
    this.leaseMs = options.leaseMs ?? DEFAULT_LEASE_MS;
    this.heartbeat = new Heartbeat(store, ledger, { leaseMs: this.leaseMs, beats: options.heartbeat ?? true });
    this.shared = new Lane({
      name: 'leased-steps',
      turnOf: ({ tenant }) => tenant ?? '',
      run: (steps) => writeTogether(store, ledger, steps),
      maxWaiting: MAX_WAITING,
      maxWaitMs: MAX_WAIT_MS,
      gatherMs: GATHER_MS,
    });
  }

  /** Gives the work a name. Whoever resumes it finds its code by this name. `Input` has to be JSON. */
  define<Input>(name: string, run: LeasedRun<Input, K>): void {
    if (name === '' || name.length > MAX_NAME_LENGTH) {
      throw new Error(`leased work has a name of 1 to ${MAX_NAME_LENGTH} characters`);
    }
    if (this.runs.has(name)) throw new Error(`there is leased work named ${name} already`);
    this.runs.set(name, run);
  }

  /** Does the work once for a request. @throws Problem 503 `outcome_unknown` when the outcome cannot be told now */
  async perform(name: string, claim: Claim, input: unknown): Promise<Outcome> {
    const outcome = await this.attempt(name, claim, input);
    countDecisions([outcome]);
    return outcome;
  }

  /**
   * Answers a request whose key is in the ledger. Left work is resumed, if this process has its code.
   * @throws Problem like `perform`
   */
  async repeat(entry: Entry, fingerprint: Buffer): Promise<Outcome> {
    const outcome = repeatOf(entry, fingerprint);
    return outcome.kind === 'in-use' && outcome.left ? this.resume(outcome.left).catch(tellUnknown) : outcome;
  }

  /** Carries out work that was begun. @throws the error of the work, after its lease was given back */
  carryOut({ claim, call, token, undone }: Leased): Promise<Outcome> {
    const { scope, key, retentionHours, redact, trace } = claim;
    const kept = { input: call.input, retentionHours, redact, trace };
    return this.run({ scope, key, token, name: call.leased, kept, points: {}, attempt: 1, ageMs: 0, undone });
  }

  /** Resumes work that nobody works on any more. Returns `in-use` if somebody does, or if its code is not here. */
  async resume({ scope, key }: Key): Promise<Outcome> {
    const taking = this.store.transaction((tx) =>
      this.ledger.resume(tx, { scope, key }, [...this.runs.keys()], this.lease),
    );
    const unfinished = await taking.catch((error: unknown) => {
      if (!isLockTimeout(error)) throw error;
      // The former owner is still in its last statement, or is paused there.
      return undefined;
    });
    return unfinished ? this.runAgain(attemptOf(unfinished)) : { kind: 'in-use' };
  }

  /** Takes over the work that nobody works on any more, and carries it out. Returns the number of works. */
  async resumeOverdue(): Promise<number> {
    if (this.runs.size === 0) return 0;
    const overdue = await this.store.transaction((tx) =>
      this.ledger.resumeOverdue(tx, [...this.runs.keys()], this.lease, MAX_RESUMED),
    );
    const results = await Promise.allSettled(overdue.map((unfinished) => this.runAgain(attemptOf(unfinished))));
    countDecision('resumed', results.filter(({ status }) => status === 'fulfilled').length);
    return overdue.length;
  }

  close(): void {
    this.heartbeat.close();
  }

  private async attempt(name: string, claim: Claim, input: unknown): Promise<Outcome> {
    const entry = await this.find(claim);
    if (entry) return this.repeat(entry, claim.fingerprint);
    const call = { leased: name, input };
    const traced = { ...claim, trace: currentSpan()?.traceparent };
    const leased: Leased = { kind: 'begun', claim: traced, call, token: newLeaseToken(), undone: false };
    try {
      await this.ownOf(claim).transaction(async (tx) => this.ledger.lease(tx, [leasedClaimOf(leased)], this.lease));
    } catch (error) {
      if (this.ledger.isLostRace(error)) return this.attempt(name, claim, input);
      throw error;
    }
    return this.carryOut(leased).catch(tellUnknown);
  }

  /** In the trace of whoever asks for it, or else in the one in which it was begun. */
  private runAgain(one: Attempt): Promise<Outcome> {
    const trace = currentSpan()?.traceparent ?? one.kept.trace;
    return inTraceOf(`resume ${one.name}`, trace, () => this.run(one));
  }

  private async run(one: Attempt): Promise<Outcome> {
    const run = this.runs.get(one.name)!;
    const signal = this.heartbeat.hold(one);
    const work = new LeasedAttempt(this.store, this.ownOf(one), this.ledger, this.shared, one, signal);
    const resumed = one.attempt > 1;
    try {
      const { answer } = await run(work, one.kept.input as never).catch((error: unknown) => {
        if (error instanceof Problem && isKept(refusalOf(error))) return work.refuse(error);
        throw error;
      });
      return { kind: 'fresh', answer, resumed };
    } catch (error) {
      // This includes an outside call that was aborted for this reason.
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
    // If somebody else has the lease now, what they have written meanwhile may be the cause of the failure.
    if (!(await work.giveBack())) return { kind: 'in-use' };
    const { id, attempt, ageMs } = work;
    this.options.onFailure?.({ id, work: one.name, attempt, ageMs, error });
    throw error;
  }

  /** Transactions of one work. Tenants take turns. */
  private ownOf({ scope }: Key): Transactions<K> {
    const turn = { turn: tenantIn(scope), maxWaitMs: MAX_WAIT_MS };
    return {
      transaction: (work, retryOn) => this.bulkhead.run(() => this.store.transaction(work, retryOn), turn),
    };
  }

  private get lease(): Lease {
    return { owner: OWNER, durationMs: this.leaseMs };
  }
}

function attemptOf({ work, input, ...unfinished }: Unfinished): Attempt {
  return { ...unfinished, name: work, kept: input as KeptInput };
}

/** For example 400 or 403: the request is at fault, and there is nothing to resume. */
function isRefusal(error: unknown): boolean {
  return error instanceof Problem && error.getStatus() < 500 && !PASSING.includes(error.getStatus());
}

/** For a request whose work was begun, and failed in a way that leaves the outcome unknown. */
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
