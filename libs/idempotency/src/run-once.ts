/**
 * A batch of works, their effects and what the ledger keeps of them, in one transaction and one commit.
 *
 * Two round trips: what exists is read and locked, everything is decided in memory, and effects, answers and commit
 * leave together. The unique index is the per-key lock: of two transactions with one key the second waits at its insert,
 * fails, runs again, and finds the first one's answer. Work that calls outside is only begun here: its key becomes a
 * pending row under a lease, and `LeasedWorks` carries it out behind the commit.
 *
 * The ledger is read before the rows, never behind them. If somebody commits between the two reads, the ledger is the
 * older one, and the insert finds that out. The other way round a do's answer would be seen without its effect, and an
 * undo would find nothing to undo.
 */
import { hostname } from 'node:os';
import { isLockTimeout } from '@shop/postgres';
import type { Answer } from './answer';
import { countDecisions } from './decisions';
import { newLeaseToken } from './ledger/lease';
import type { Kind, LeasedClaim, Ledger, Postgres, Transactions } from './ledger/ledger';
import { type Begun, type CallOutside, idOf, type Key, settle, type Settled, type Work } from './settle';

/** How a batch is worked on. */
export interface BatchSteps<State, Decision extends Answer | CallOutside = Answer, K extends Kind = Postgres> {
  /** Reads, and locks in key order, the rows that the works touch. */
  load: (tx: K['tx']) => Promise<State>;
  /** Decides one work in plain memory; changes `state` for the works behind it. Not called for repeats. */
  decide: (state: State, index: number) => Decision;
  /** Sends what `decide` changed. */
  save: (tx: K['tx'], state: State) => void;
  /**
   * The state in which nothing is known of any of the works. Where it is given, and none of the works is an undo, the
   * first attempt takes it and reads nothing: unique indexes tell if one of the works was there before. Every answer has
   * to be kept then, since nothing else would show that a key is used.
   */
  blank?: () => State;
}

/** Work that was begun, and the token of the lease under which it is. */
export interface Leased extends Begun {
  token: string;
}

type Result<Decision> = Exclude<Settled<Decision>, Begun> | (Decision extends CallOutside ? Leased : never);

/** Longer than an outside call may take; a heartbeat keeps it while the process lives. */
export const DEFAULT_LEASE_MS = 10_000;
/** A word for whoever looks at the row. */
export const OWNER = `${hostname()}/${process.pid}`;

export interface RunOnceOptions {
  /** Further failures that mean a lost race; what is run again reads afresh and sees the winner. */
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
      const { outcomes, completed } = settle(known, works, (index) => steps.decide(state, index));
      const begun = outcomes.flatMap((outcome) => (outcome.kind === 'begun' ? [leaseOf(outcome)] : []));
      if (completed.length + begun.length > 0) {
        steps.save(tx, state);
        ledger.record(tx, completed);
        ledger.lease(tx, begun.map(leasedClaimOf), { owner: OWNER, durationMs: leaseMs });
      }
      tx.afterCommit(() => countDecisions(outcomes));
      return outcomes.map((outcome) => (outcome.kind === 'begun' ? begun.shift()! : outcome));
    },
    (error) => ledger.isLostRace(error) || retryOn(error),
  );
  return (await running.catch((error: unknown) => {
    if (works.length > 1 || !isLockTimeout(error)) throw error;
    // Another replica has held the key's row, or one of the effect's, for longer than we wait for it.
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

const leaseOf = (begun: Begun): Leased => ({ ...begun, token: newLeaseToken() });

/** The pending row of work that was begun. */
export const leasedClaimOf = ({ claim, call: { leased, input }, token }: Leased): LeasedClaim => ({
  ...claim,
  token,
  work: leased,
  input: { input, retentionHours: claim.retentionHours, redact: claim.redact },
});
