/**
 * What leased works write in one transaction with other works: points that they reach, and their ends. Under load, a
 * batch of works costs one commit for each of its steps, and not one for each work.
 *
 * Each step is fenced by the lease of its own work. If one of the leases is lost, the transaction fails, and the lane
 * runs each step alone. So only the work that lost its lease fails.
 */
import type { Answer } from '../answer';
import type { Held, Kind, Ledger, Postgres, Reached, Store } from '../ledger/ledger';
import { isKept, withoutSecrets } from '../policy';

/** Only sends statements, because the other works wait for it. */
export type SaveAll<Row, K extends Kind = Postgres> = (tx: K['tx'], rows: readonly Row[]) => void;

/** What is stored as the input: the input of the work, and how its answer has to be kept. */
export interface KeptInput {
  input: unknown;
  retentionHours?: number;
  redact?: readonly string[];
  /** The `traceparent` that it goes on in. */
  trace?: string;
}

/** The end of a work. */
export interface Ending {
  held: Held;
  kept: KeptInput;
  answer: Answer;
}

/** What a step of a work writes: its row, and in the ledger a point or an end. */
export interface SharedStep<K extends Kind> {
  write: { reached: Reached } | { ending: Ending };
  save: SaveAll<never, K>;
  row: unknown;
  /** The steps of several tenants are taken in turn. */
  tenant?: string;
}

/**
 * Writes these steps in one transaction. Returns for each of them whether its work reached a point and is marked.
 * @throws LeaseLostError if somebody else has taken over one of the works
 */
export async function writeTogether<K extends Kind>(
  store: Store<K>,
  ledger: Ledger<K>,
  steps: readonly SharedStep<K>[],
): Promise<boolean[]> {
  const points = steps.flatMap(({ write }) => ('reached' in write ? [write.reached] : []));
  const endings = steps.flatMap(({ write }) => ('ending' in write ? [write.ending] : []));
  const undone = await store.transaction(async (tx) => {
    for (const [save, rows] of rowsBySave(steps)) save(tx, rows as never[]);
    const [marked] = await Promise.all([ledger.savePoints(tx, points), writeEnds(tx, ledger, endings)]);
    return marked;
  });
  return steps.map(({ write }) => 'reached' in write && undone.has(write.reached.token));
}

/** Stores these answers. Frees the keys of the answers that are not kept. */
export async function writeEnds<K extends Kind>(
  tx: K['tx'],
  ledger: Ledger<K>,
  endings: readonly Ending[],
): Promise<void> {
  const finished = endings
    .filter(({ answer }) => isKept(answer))
    .map(({ held, kept: { redact, retentionHours }, answer }) => {
      return { ...held, answer: withoutSecrets(answer, redact), retentionHours };
    });
  const freed = endings.filter(({ answer }) => !isKept(answer));
  await Promise.all([ledger.complete(tx, finished), ...freed.map(({ held }) => ledger.forget(tx, held))]);
}

function rowsBySave<K extends Kind>(steps: readonly SharedStep<K>[]): Map<SaveAll<never, K>, unknown[]> {
  const rows = new Map<SaveAll<never, K>, unknown[]>();
  for (const { save, row } of steps) rows.set(save, [...(rows.get(save) ?? []), row]);
  return rows;
}
