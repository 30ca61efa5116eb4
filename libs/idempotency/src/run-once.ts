/**
 * A batch of works, their effects and their ledger entries, in one transaction and one commit.
 *
 * It takes two round trips. The first one reads and locks what exists. Then everything is decided in memory. The second
 * one sends the effects, the answers and the commit together. The unique index is the lock for each key. If two
 * transactions have the same key, the second one waits at its insert and fails. It runs again, and finds the answer of
 * the first one. Work that makes an outside call is only begun here. Its key becomes a pending row under a lease, and
 * `LeasedWorks` carries the work out after the commit.
 *
 * The ledger is always read before the rows. If somebody commits between the two reads, the ledger is the older read,
 * and the insert fails because of it. In the other order, an undo would see the answer of a do but not its effect. It
 * would then find nothing to undo.
 */
import { hostname } from 'node:os';
import { isLockTimeout } from '@shop/postgres';
import type { Answer } from './answer';
import { countDecisions } from './decisions';
import { newLeaseToken } from './ledger/lease';
import type { Kind, LeasedClaim, Ledger, Postgres, Transactions } from './ledger/ledger';
import { type Begun, type CallOutside, idOf, type Key, settle, type Settled, type Work } from './settle';

/** How a batch is processed. */
export interface BatchSteps<State, Decision extends Answer | CallOutside = Answer, K extends Kind = Postgres> {
  /** Reads the rows of the works, and locks them in key order. */
  load: (tx: K['tx']) => Promise<State>;
  /** Decides one work in plain memory, and changes `state` for the works after it. It is not called for repeats. */
  decide: (state: State, index: number) => Decision;
  /** Sends what `decide` changed. */
  save: (tx: K['tx'], state: State) => void;
  /**
   * The state in which nothing is known about any of the works. If it is given, and none of the works is an undo, the
   * first attempt uses it and reads nothing. Unique indexes then show whether one of the works was there before. In
   * this case every answer has to be kept, because nothing else would show that a key is used.
   */
  blank?: () => State;
}

/** Work that was begun, and the token of its lease. */
export interface Leased extends Begun {
  token: string;
  /** Its undo came in the same batch. */
  undone: boolean;
}

type Result<Decision> = Exclude<Settled<Decision>, Begun> | (Decision extends CallOutside ? Leased : never);

/** Longer than any outside call may take. A heartbeat extends the lease while the process lives. */
export const DEFAULT_LEASE_MS = 10_000;
/** The name of this process, for people who read the row. */
export const OWNER = `${hostname()}/${process.pid}`;

export interface RunOnceOptions {
  /** More failures that mean a lost race. The next run reads again and sees the winner. */
  retryOn?: (error: unknown) => boolean;
  leaseMs?: number;
}

export async function runOnce<State, Decision extends Answer | CallOutside = Answer, K extends Kind = Postgres>(
  database: Transactions<K>,
  ledger: Ledger<K>,
  works: readonly Work[],
  steps: BatchSteps<State, Decision, K>,
  { retryOn = () => false, leaseMs = DEFAULT_LEASE_MS }: RunOnceOptions = {},
): Promise<Result<Decision>[]> {
  let { blank } = works.some(({ barrier }) => barrier) ? { blank: undefined } : steps;
  const running = database.transaction(
    async (tx) => {
      const [known, state] = blank
        ? [[], blank()]
        : await Promise.all([ledger.find(tx, keysOf(works)), steps.load(tx)]);
      blank = undefined;
      const { outcomes, completed, marks } = settle(known, works, (index) => steps.decide(state, index));
      const begun = outcomes.flatMap((outcome) => (outcome.kind === 'begun' ? [leaseOf(outcome, marks)] : []));
      if (completed.length + begun.length > 0) {
        steps.save(tx, state);
        ledger.record(tx, completed);
        ledger.lease(tx, begun.map(leasedClaimOf), { owner: OWNER, durationMs: leaseMs });
      }
      // Behind the claims of this batch, because one of them may be marked at once.
      ledger.mark(tx, marks);
      tx.afterCommit(() => countDecisions(outcomes));
      return outcomes.map((outcome) => (outcome.kind === 'begun' ? begun.shift()! : outcome));
    },
    (error) => ledger.isLostRace(error) || retryOn(error),
  );
  return (await running.catch((error: unknown) => {
    if (works.length > 1 || !isLockTimeout(error)) throw error;
    // Another replica has held the row of the key, or a row of the effect, for longer than we wait for it.
    countDecisions([{ kind: 'in-use' }]);
    return [{ kind: 'in-use' } as const];
  })) as Result<Decision>[];
}

function keysOf(works: readonly Work[]): Key[] {
  const keys = works.flatMap(({ claim: { scope, key }, barrier }) => [
    { scope, key },
    ...(barrier ? [{ scope, key: barrier.key }] : []),
  ]);
  return [...new Map(keys.map((key) => [idOf(key), key])).values()];
}

function leaseOf(begun: Begun, marks: readonly Key[]): Leased {
  const undone = marks.some((key) => idOf(key) === idOf(begun.claim));
  return { ...begun, token: newLeaseToken(), undone };
}

/** The pending row of work that was begun. */
export const leasedClaimOf = ({ claim, call: { leased, input }, token }: Leased): LeasedClaim => ({
  ...claim,
  token,
  work: leased,
  input: { input, retentionHours: claim.retentionHours, redact: claim.redact, trace: claim.trace },
});
