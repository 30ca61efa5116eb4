/**
 * The two ways to do work once under a claim: in one transaction, or under a lease if the work makes an outside call.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { isLockTimeout, Lane } from '@shop/postgres';
import { Problem } from '@shop/problem';
import { countDecisions } from './decisions';
import { type Answer, refusalOf } from './answer';
import type { KeyState, Kind, Ledger, Postgres, Store, Stretch } from './ledger/ledger';
import type { LeasedRun } from './leased/leased-work';
import { LeasedWorks, type LeaseOptions } from './leased/leased-works';
import { tenantIn } from './http/caller';
import { isKept } from './policy';
import { type Claim, type Entry, entryOf, idOf, type Key, type Outcome, repeatOf } from './settle';

/** How long a repeat waits for a request that is being processed, if it does not say so itself. */
const DEFAULT_WAIT_MS = 2_000;
/** The first pause between two looks. Each next pause is twice as long, up to the longest one. */
const FIRST_LOOK_MS = 20;
const LAST_LOOK_MS = 250;

export class Idempotency<K extends Kind = Postgres> {
  readonly works: LeasedWorks<K>;
  private readonly finding: Lane<Key, Entry | undefined>;

  constructor(
    private readonly store: Store<K>,
    readonly ledger: Ledger<K>,
    options: LeaseOptions = {},
  ) {
    this.finding = new Lane({
      name: 'find-keys',
      turnOf: ({ scope }) => tenantIn(scope),
      run: (keys) => this.findAll(keys),
    });
    this.works = new LeasedWorks(store, ledger, (key) => this.find(key), options);
  }

  /**
   * Runs `work` in a transaction that also stores its answer. A refusal that `work` throws as a Problem is an answer
   * like any other, without the effects. An answer that is not final (503, for example) is given to the caller, but
   * nothing of the work is kept.
   */
  async once(claim: Claim, work: (tx: K['tx']) => Promise<Answer>): Promise<Outcome> {
    const known = await this.find(claim);
    const outcome = known ? repeatOf(known, claim.fingerprint) : await this.attempt(claim, work);
    countDecisions([outcome]);
    return outcome;
  }

  /**
   * Gives a name to work that makes an outside call. Returns the function that does the work once under a claim. After
   * a crash, a repeat or the completer resumes the work after its last recovery point. `input` has to be JSON.
   */
  leased<Input>(name: string, run: LeasedRun<Input, K>): (claim: Claim, input: Input) => Promise<Outcome> {
    this.works.define(name, run);
    return (claim, input) => this.works.perform(name, claim, input);
  }

  /** One indexed read, which all callers at the same time share. */
  find({ scope, key }: Key): Promise<Entry | undefined> {
    return this.finding.submit({ scope, key });
  }

  /** The known state of these keys, oldest first. */
  describe(keys: readonly Key[]): Promise<KeyState[]> {
    return this.ledger.describe(this.store, keys);
  }

  /**
   * Waits for the answer of work that another owner does. Returns `in-use` if there is none in time, or nobody waits for
   * it any more.
   */
  async awaitAnswer(claim: Claim, waitMs = DEFAULT_WAIT_MS, isGone = () => false): Promise<Outcome> {
    const deadline = performance.now() + waitMs;
    for (let pauseMs = FIRST_LOOK_MS; ; pauseMs = Math.min(2 * pauseMs, LAST_LOOK_MS)) {
      const left = deadline - performance.now();
      if (left <= 0 || isGone()) return { kind: 'in-use' };
      await pause(Math.min(pauseMs, left));
      const entry = await this.find(claim);
      // If another transaction is still doing the work, its row is not visible yet.
      const outcome = entry && (await this.works.repeat(entry, claim.fingerprint));
      if (outcome && outcome.kind !== 'in-use') return outcome;
    }
  }

  /**
   * Erases the answers of all scopes with this prefix, and returns the number of rows. The keys stay used until they
   * expire.
   */
  erase(scopePrefix: string): Promise<number> {
    return this.walk((start) => this.ledger.erase(this.store, scopePrefix, start));
  }

  /**
   * Removes the finished keys of all scopes with this prefix, or only those with a `mention` in their answer, and
   * returns how many. What was done under them is known by its natural key.
   */
  forget(scopePrefix: string, mention?: string): Promise<number> {
    return this.walk((start) => this.ledger.remove(this.store, { scopePrefix, mention }, start));
  }

  /** How many claims of the tenant are under way: of its scopes, or with the tenant in the input of their work. */
  countPending(scopePrefix: string, tenant: string): Promise<number> {
    return this.ledger.countPending(this.store, { scopePrefix, tenant });
  }

  private async walk(stretch: (start: number) => Promise<Stretch>): Promise<number> {
    let changed = 0;
    // A row that is updated during the walk may move to a place that the walk has passed. So a walk has to find nothing
    // to be the last.
    for (let found = 1; found > 0; changed += found) {
      found = 0;
      let start = 0;
      do {
        const done = await stretch(start);
        found += done.changed;
        start = done.next;
      } while (start > 0);
    }
    return changed;
  }

  private async attempt(claim: Claim, work: (tx: K['tx']) => Promise<Answer>): Promise<Outcome> {
    try {
      return { kind: 'fresh', answer: await this.perform(claim, work) };
    } catch (error) {
      if (error instanceof NotKept) return { kind: 'fresh', answer: error.answer };
      if (isLockTimeout(error)) return { kind: 'in-use' };
      if (!this.ledger.isLostRace(error)) throw error;
      const winner = await this.find(claim);
      return winner ? repeatOf(winner, claim.fingerprint) : this.attempt(claim, work);
    }
  }

  private async perform(claim: Claim, work: (tx: K['tx']) => Promise<Answer>): Promise<Answer> {
    const record = (tx: K['tx'], answer: Answer): Answer => {
      if (!isKept(answer)) throw new NotKept(answer);
      this.ledger.record(tx, [entryOf(claim, answer)]);
      return answer;
    };
    try {
      return await this.store.transaction(async (tx) => record(tx, await work(tx)));
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      const refusal = refusalOf(error);
      if (!isKept(refusal)) throw error;
      return this.store.transaction(async (tx) => record(tx, refusal));
    }
  }

  private async findAll(keys: readonly Key[]): Promise<(Entry | undefined)[]> {
    const found = new Map((await this.ledger.find(this.store, keys)).map((entry) => [idOf(entry), entry]));
    return keys.map((key) => found.get(idOf(key)));
  }
}

/** Carries an answer out of a transaction that must not commit. */
class NotKept extends Error {
  constructor(readonly answer: Answer) {
    super('nothing of this work is kept');
  }
}
