/**
 * The atomic mode: a batch of works, their effects and their stored answers in one transaction and one commit.
 *
 * Two round trips: what exists is read, everything is decided in memory, and effects, answers and commit leave together.
 * The unique index is the per-key lock: of two transactions with one key the second waits at its insert, fails, runs
 * again, and finds the first one's answer.
 *
 * The first run presumes: keys that seem new are not looked up, and `load` may take for granted what `save` will prove.
 * If there is nothing else to read, all of it is one trip. A presumption that was wrong fails the transaction, and the
 * second run reads everything.
 *
 * The ledger is read before the rows, never behind them. If somebody commits between the two reads, the ledger is the
 * older one, and the insert finds that out. The other way round a do's answer would be seen without its effect, and an
 * undo would find nothing to undo.
 */
import { isLockTimeout } from '@shop/postgres';
import { countDecisions } from './decisions';
import type { Key, Kind, Ledger, Postgres, Transactions } from './ledger/ledger';
import type { Answer } from './answer';
import { isKept } from './policy';
import { type Outcome, settle, type Work } from './settle';

export interface Moves<State, K extends Kind = Postgres> {
  /**
   * Reads, and locks in key order, the rows that the works touch. With `presume` it may take for granted what `save`
   * proves, in a way that fails the transaction with what `retryOn` knows.
   */
  load: (tx: K['tx'], presume: boolean) => Promise<State>;
  /** Decides one work in plain memory; changes `state` for the works behind it. Not called for repeats. */
  decide: (state: State, index: number) => Answer;
  /** Sends what `decide` changed. */
  save: (tx: K['tx'], state: State) => void;
}

/** @param retryOn further failures that mean a lost race; what is run again reads afresh and sees the winner */
export async function runOnce<State, K extends Kind = Postgres>(
  database: Transactions<K>,
  ledger: Ledger<K>,
  works: readonly Work[],
  moves: Moves<State, K>,
  retryOn: (error: unknown) => boolean = () => false,
): Promise<Outcome[]> {
  let presume = true;
  const running = database.transaction(
    async (tx) => {
      const presuming = presume;
      presume = false;
      const finding = ledger.find(tx, keysOf(presuming ? works.filter(({ seemsNew }) => !seemsNew) : works));
      const [known, state] = await Promise.all([finding, moves.load(tx, presuming)]);
      const settlement = settle(known, works, (index) => moves.decide(state, index));
      if (presuming && settlement.outcomes.some((outcome, index) => isUnproven(works[index]!, outcome))) {
        throw new UnprovenError();
      }
      if (settlement.completed.length > 0) {
        moves.save(tx, state);
        ledger.record(tx, settlement.completed);
      }
      return settlement.outcomes;
    },
    (error) => error instanceof UnprovenError || ledger.isLostRace(error) || retryOn(error),
  );
  const outcomes = await running.catch((error: unknown) => {
    if (works.length > 1 || !isLockTimeout(error)) throw error;
    // Another replica has held the key's row, or one of the effect's, for longer than we wait for it.
    return [{ kind: 'in-use' } as const];
  });
  countDecisions(outcomes);
  return outcomes;
}

function keysOf(works: readonly Work[]): Key[] {
  return works.flatMap(({ claim: { scope, key }, barrier }) =>
    barrier
      ? [
          { scope, key },
          { scope, key: barrier.key },
        ]
      : [{ scope, key }],
  );
}

/** A key that was not looked up, and whose answer is not kept: no index tells whether it has another answer already. */
const isUnproven = ({ seemsNew }: Work, outcome: Outcome): boolean =>
  seemsNew === true && outcome.kind === 'fresh' && !isKept(outcome.answer);

class UnprovenError extends Error {}
