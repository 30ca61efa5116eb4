/**
 * The leased mode: work that calls outside, step by step.
 *
 * A claim is committed as a pending row under a lease, then the work runs. Between its outside calls it reaches recovery
 * points: transactions that commit its rows, the point's result and a check of the lease together. A heartbeat keeps the
 * lease while the process lives. After a crash the lease runs out, and whoever comes first takes the row over and runs
 * the work again: points that were reached answer their stored result, so only what came behind the last one is done
 * again, with the same outside key. An owner that was only asleep finds its token gone and can write nothing.
 */
import { hash } from 'node:crypto';
import { hostname } from 'node:os';
import { Problem } from '@shop/problem';
import { type Answer, refusalOf } from './answer';
import { count, countDecisions } from './decisions';
import { Heartbeat } from './heartbeat';
import { newLeaseToken } from './lease';
import type { Held, Key, Kind, Ledger, Postgres, Store, Unfinished } from './ledger';
import { isKept, withoutSecrets } from './policy';
import { type Claim, type Entry, type Outcome, repeatOf } from './settle';

export interface LeasedWork<K extends Kind = Postgres> {
  /** The same for every try of this work, and for no other: the key for outside calls. 43 characters. */
  readonly id: string;
  /** From 1. */
  readonly attempt: number;
  /** Aborts when somebody else has taken the work over. */
  readonly signal: AbortSignal;
  /**
   * Runs `step` in a transaction and makes its result (JSON) a recovery point: a later try gets the result without
   * running it again. @throws LeaseLostError, or what the ledger says for it; let it pass
   */
  reach<T>(point: string, step: (tx: K['tx']) => Promise<T>): Promise<T>;
  /**
   * Runs the last transaction, which also stores the answer. An answer that is not final frees the key instead, so
   * nothing may be left outside that a new run would double.
   */
  finish(step: (tx: K['tx']) => Promise<Answer> | Answer): Promise<Done>;
}

/** What only `finish` makes. */
export interface Done {
  readonly answer: Answer;
}

export type LeasedRun<Input, K extends Kind = Postgres> = (work: LeasedWork<K>, input: Input) => Promise<Done>;

export interface LeaseOptions {
  /** After a crash work goes on this much later; three missed heartbeats long. */
  leaseMs?: number;
  /** Told of a try that failed for a passing reason; the work goes on later. */
  onFailure?: (failure: { work: string; attempt: number; error: unknown }) => void;
}

const DEFAULT_LEASE_MS = 10_000;
const OWNER = `${hostname()}/${process.pid}`;
const RETRY_AFTER_SECONDS = '1';
/** Works that one look of the completer takes over. */
const MAX_RESUMED = 16;

/** What is kept as the input: the work's own, and how its answer is to be kept. */
interface Kept {
  input: unknown;
  retentionHours?: number;
  redact?: readonly string[];
}

interface Try extends Key {
  name: string;
  kept: Kept;
  points: Record<string, unknown>;
  attempt: number;
  token: string;
}

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
    count('resumed', results.filter(({ status }) => status === 'fulfilled').length);
    return overdue.length;
  }

  close(): void {
    this.heartbeat.close();
  }

  private async perform(name: string, claim: Claim, input: unknown): Promise<Outcome> {
    const { scope, key, fingerprint, retentionHours, redact } = claim;
    const entry = await this.find(claim);
    const repeat = entry && repeatOf(entry, fingerprint);
    if (repeat && repeat.kind !== 'in-use') return repeat;
    const lease = this.newLease();
    if (entry) {
      const unfinished = await this.store.transaction((tx) => this.ledger.resume(tx, { scope, key }, lease));
      return unfinished ? this.carryOut(tryOf(unfinished, lease.token)) : { kind: 'in-use' };
    }
    const kept: Kept = { input, retentionHours, redact };
    try {
      await this.store.transaction(async (tx) => this.ledger.lease(tx, [{ ...claim, work: name, input: kept }], lease));
    } catch (error) {
      if (this.ledger.isLostRace(error)) return this.perform(name, claim, input);
      throw error;
    }
    return this.carryOut({ scope, key, name, kept, points: {}, attempt: 1, token: lease.token });
  }

  private async carryOut(attempt: Try): Promise<Outcome> {
    const { scope, key, token, name, kept } = attempt;
    const held = { scope, key, token };
    const run = this.runs.get(name);
    // Work of another version of this service.
    if (!run) return { kind: 'in-use' };
    const signal = this.heartbeat.hold(held);
    try {
      const { answer } = await run(this.workOf(attempt, held, signal), kept.input as never);
      return { kind: 'fresh', answer, resumed: attempt.attempt > 1 };
    } catch (error) {
      if (this.ledger.isLeaseLost(error)) return { kind: 'in-use' };
      if (error instanceof Problem && isKept(refusalOf(error))) return await this.refuse(attempt, held, error);
      return await this.putOff(attempt, held, error);
    } finally {
      this.heartbeat.letGo(held);
    }
  }

  private workOf({ kept, points, attempt }: Try, held: Held, signal: AbortSignal): LeasedWork<K> {
    return {
      id: hash('sha256', `${held.scope}\n${held.key}`, 'base64url'),
      attempt,
      signal,
      reach: async <T>(name: string, step: (tx: K['tx']) => Promise<T>) => {
        if (Object.hasOwn(points, name)) return points[name] as T;
        return this.store.transaction(async (tx) => {
          const result = await step(tx);
          this.ledger.savePoint(tx, held, { name, result });
          // As a later try gets it, so that what JSON cannot hold is missed at once and not after the first crash.
          return JSON.parse(JSON.stringify(result) ?? 'null') as T;
        });
      },
      finish: (step) =>
        this.store.transaction(async (tx) => {
          const answer = await step(tx);
          if (isKept(answer)) this.ledger.completeAll(tx, [finishedOf(held, answer, kept)]);
          else this.ledger.forget(tx, held);
          return { answer };
        }),
    };
  }

  /** A refusal that the work has thrown. */
  private async refuse({ kept, attempt }: Try, held: Held, problem: Problem): Promise<Outcome> {
    const answer = refusalOf(problem);
    try {
      await this.store.transaction(async (tx) => this.ledger.completeAll(tx, [finishedOf(held, answer, kept)]));
      return { kind: 'fresh', answer, resumed: attempt > 1 };
    } catch (error) {
      if (this.ledger.isLeaseLost(error)) return { kind: 'in-use' };
      throw error;
    }
  }

  /** Nobody knows what came of the outside call, so the row stays, and the next one may go on at once. */
  private async putOff({ name, attempt }: Try, held: Held, error: unknown): Promise<Outcome> {
    // Gives the lease back. If it is somebody else's by now, the failure may come of what they have written meanwhile.
    const kept = await this.ledger.extend(this.store, [held], 0).catch(() => undefined);
    if (kept && !kept.has(held.token)) return { kind: 'in-use' };
    this.options.onFailure?.({ work: name, attempt, error });
    if (error instanceof Problem) throw error;
    throw new Problem(
      503,
      'outcome_unknown',
      'the outcome is not known yet; the same request with the same Idempotency-Key goes on where this one ended',
      { headers: { 'retry-after': RETRY_AFTER_SECONDS }, cause: error },
    );
  }

  private newLease() {
    return { owner: OWNER, token: newLeaseToken(), durationMs: this.leaseMs };
  }
}

function tryOf({ scope, key, work, input, points, attempt }: Unfinished, token: string): Try {
  return { scope, key, name: work, kept: input as Kept, points, attempt, token };
}

function finishedOf(held: Held, answer: Answer, { retentionHours, redact }: Kept) {
  return { ...held, answer: withoutSecrets(answer, redact), retentionHours };
}
