/**
 * A system outside that we call, with all that protects us from it and it from us, in one place.
 *
 * Every try of a call passes the circuit breaker, waits for its turn in the bulkhead, and has a time limit. A failed try is
 * followed by another one if the failure is of that kind, if there are tries and time left, and if the retry budget allows
 * it. Nobody holds a turn while he waits for his next try.
 */
import type { Backoff } from './backoff';
import { Bulkhead, NoTurnError } from './bulkhead';
import { CircuitBreaker, CircuitOpenError } from './circuit-breaker';
import { DependencyMetrics, type NotRetried } from './dependency-metrics';
import { inTry } from './dependency-spans';
import { failureOf, judge, type Verdict } from './failure';
import { pause } from './pause';
import { retryAfter, UnsafeRetryError } from './retry';
import { processRetryBudget, RetryBudget } from './retry-budget';
import { TimedTry, type Try } from './timed-try';

export interface DependencyOptions {
  /** The label of the metrics, such as `payment-provider`: one of few, and known when the code is written. */
  name: string;
  /** The most calls at once. */
  calls: number;
  /** The most callers of one turn that wait. */
  maxWaiting: number;
  /** For one try, from the moment when it has its turn. */
  timeoutMs: number;
  /** For a whole call: all its tries and all its waits. */
  totalMs: number;
  maxTries?: number;
  backoff?: Backoff;
  /** How long an open circuit refuses calls. */
  restMs?: number;
}

/** What only tests replace. */
export interface Chance {
  /** Milliseconds of a clock that is never set. */
  now: () => number;
  /** From 0 to 1. */
  random: () => number;
  /** For the whole process. */
  budget: RetryBudget;
}

export interface OutsideCall {
  /** Whose call it is, such as the tenant's. Those who wait are served in turn. */
  turn: string;
  /** The longest wait for the turn. The default is all the time of the call. */
  maxWaitMs?: number;
  /** Doing it twice is doing it once: it reads, or it sets what it names. */
  isIdempotent?: boolean;
  /** Under which the dependency does it once. The same for every try. */
  idempotencyKey?: string;
  /** Whether 409 means "not now" on this route, as it does while the same key is in work. */
  isConflictSafe?: boolean;
  /** Instead of the dependency's. A call with one try needs no key. */
  maxTries?: number;
  timeoutMs?: number;
  totalMs?: number;
  /** Ends the call, also while it waits. It then throws the reason of the signal. */
  signal?: AbortSignal;
}

const MAX_TRIES = 3;
const BACKOFF: Backoff = { firstMs: 200, maxMs: 5_000, factor: 2 };

export class Dependency {
  private readonly bulkhead: Bulkhead;
  private readonly breaker: CircuitBreaker;
  private readonly budget: RetryBudget;
  private readonly metrics: DependencyMetrics;
  private readonly chance: Chance;

  constructor(
    private readonly options: DependencyOptions,
    chance: Partial<Chance> = {},
  ) {
    this.chance = { now: () => performance.now(), random: Math.random, budget: processRetryBudget, ...chance };
    const { now, budget } = this.chance;
    this.metrics = new DependencyMetrics(options.name);
    this.bulkhead = new Bulkhead(options);
    this.budget = new RetryBudget({ whole: budget, now });
    this.breaker = new CircuitBreaker({
      isOutage: (error) => judge(failureOf(error)).isOutage,
      restMs: options.restMs,
      now,
      onChange: (state) => this.metrics.circuit(state),
    });
  }

  /**
   * The error is the one of the last try that was made. After a NoTurnError or a CircuitOpenError nothing was called at all.
   * After any other one, what a TerminalError of `work` says is true of its own try only: see `Try.number`.
   * @throws UnsafeRetryError NoTurnError CircuitOpenError TimedOutError, the reason of the signal, and what `work` throws
   */
  async call<T>(work: (attempt: Try) => Promise<T>, call: OutsideCall): Promise<T> {
    const { signal, totalMs = this.options.totalMs } = call;
    this.refuseUnsafe(call);
    const endsAt = this.chance.now() + totalMs;
    let last: { error: unknown } | undefined;
    for (let number = 1; ; number++) {
      signal?.throwIfAborted();
      try {
        return await this.tryOnce(work, { call, number, endsAt });
      } catch (error) {
        signal?.throwIfAborted();
        // It does not tell what an earlier try may have done.
        if (isNotCalled(error)) throw last ? last.error : error;
        last = { error };
        const next = this.nextOf(error, { call, number, leftMs: endsAt - this.chance.now() });
        if ('waitMs' in next) await pause(next.waitMs, signal);
        else {
          this.metrics.notRetried(next.givenUp);
          throw error;
        }
      }
    }
  }

  private refuseUnsafe({ isIdempotent, idempotencyKey, maxTries = this.maxTries }: OutsideCall): void {
    if (maxTries > 1 && !isIdempotent && !idempotencyKey) throw new UnsafeRetryError(this.options.name);
  }

  private get maxTries(): number {
    return this.options.maxTries ?? MAX_TRIES;
  }

  private async tryOnce<T>(work: (attempt: Try) => Promise<T>, { call, number, endsAt }: Trying): Promise<T> {
    try {
      await this.takeTurn(call, endsAt);
      try {
        const timeoutMs = Math.min(call.timeoutMs ?? this.options.timeoutMs, endsAt - this.chance.now());
        if (timeoutMs <= 0) throw new NoTurnError('the time of the call was over when its turn came', false);
        return await this.breaker.run(() => this.timed(work, { call, number, timeoutMs }));
      } finally {
        this.metrics.inUse(-1);
        this.bulkhead.leave();
      }
    } catch (error) {
      if (isNotCalled(error)) this.metrics.notCalled(error instanceof NoTurnError ? 'no_turn' : 'circuit_open');
      throw error;
    }
  }

  private async takeTurn({ turn, signal, maxWaitMs = Infinity }: OutsideCall, endsAt: number): Promise<void> {
    const { refusesForMs } = this.breaker;
    if (refusesForMs > 0) throw new CircuitOpenError(refusesForMs);
    const leftMs = endsAt - this.chance.now();
    this.metrics.waiting(1);
    try {
      await this.bulkhead.enter({ turn, signal, maxWaitMs: Math.min(maxWaitMs, leftMs) });
    } finally {
      this.metrics.waiting(-1);
    }
    this.metrics.inUse(1);
  }

  private async timed<T>(work: (attempt: Try) => Promise<T>, { call, number, timeoutMs }: Timed): Promise<T> {
    const { signal } = call;
    const begunAt = this.chance.now();
    if (number === 1) this.budget.addCall();
    else this.metrics.retried();
    try {
      const result = await inTry(this.options.name, number, () => new TimedTry(number, timeoutMs).run(work, signal));
      this.metrics.tried('succeeded', this.chance.now() - begunAt);
      return result;
    } catch (error) {
      const outcome = signal?.aborted ? 'cancelled' : this.verdictOf(error, call).isRetryable ? 'failed' : 'refused';
      this.metrics.tried(outcome, this.chance.now() - begunAt);
      throw error;
    }
  }

  private nextOf(error: unknown, { call, number, leftMs }: Failed): { waitMs: number } | { givenUp: NotRetried } {
    const { maxTries = this.maxTries } = call;
    const { backoff = BACKOFF } = this.options;
    const tried = { verdict: this.verdictOf(error, call), ...failureOf(error), tries: number, leftMs };
    const next = retryAfter(tried, { maxTries, backoff }, this.chance.random);
    if ('givenUp' in next) return next;
    if (this.breaker.refusesForMs > next.waitMs) return { givenUp: 'circuit' };
    return this.budget.takeRetry() ? next : { givenUp: 'budget' };
  }

  private verdictOf(error: unknown, { isConflictSafe }: OutsideCall): Verdict {
    return judge(failureOf(error), isConflictSafe);
  }
}

interface Trying {
  call: OutsideCall;
  number: number;
  endsAt: number;
}

interface Timed {
  call: OutsideCall;
  number: number;
  timeoutMs: number;
}

interface Failed {
  call: OutsideCall;
  number: number;
  leftMs: number;
}

const isNotCalled = (error: unknown): boolean => error instanceof NoTurnError || error instanceof CircuitOpenError;
