/**
 * The decision of the ledger, pure: which of these works are new, which were done before, and what is to be written.
 *
 * Works are settled one after the other in arrival order, and each sees what the ones before it did, so repeats within
 * a batch, an undo behind its do, and a do behind its undo come out as if they had arrived alone.
 */

/** The right to run one piece of work once: the caller's name for it within a scope, and what it asks. */
export interface Claim {
  /** Who may repeat it: tenant, principal and route of a request; the consumer of a message. */
  scope: string;
  key: string;
  /** 32 bytes; the same key with another fingerprint is another request under a used name. */
  fingerprint: Buffer;
}

/** What is answered now and to every repeat. */
export interface Answer {
  /** HTTP status code. */
  status: number;
  headers?: Record<string, string>;
  /** JSON text, kept byte for byte. */
  body: string;
  /** False for what holds only now: it is answered but not stored, and the same key may come again. Default true. */
  kept?: boolean;
}

/** A row of the ledger. A tombstone (an undo came before its do) has no fingerprint: it answers whatever comes. */
export type Entry = { scope: string; key: string; fingerprint: Buffer | null } & (
  { status: 'completed'; answer: Answer } | { status: 'pending'; leaseExpired: boolean }
);

export interface Work {
  claim: Claim;
  /** Of an undo: the key of its do (same scope), and what the do is answered if it comes after all. */
  barrier?: { key: string; refusal: Answer };
}

export type Outcome =
  | { kind: 'fresh'; answer: Answer }
  | { kind: 'replayed'; answer: Answer }
  /** The key was used for another request. */
  | { kind: 'reused' }
  /** The work with this key is under way elsewhere. */
  | { kind: 'in-use' };

export interface Settlement {
  /** One per work, in order. */
  outcomes: Outcome[];
  /** Rows to insert, tombstones included. */
  completed: (Entry & { status: 'completed' })[];
}

/**
 * @param known the rows that exist for the keys of these works (and of their barriers)
 * @param perform decides the answer of the work at this index; not called again for a key whose answer is kept
 */
export function settle(
  known: readonly Entry[],
  works: readonly Work[],
  perform: (index: number) => Answer,
): Settlement {
  const entries = new Map(known.map((entry) => [idOf(entry.scope, entry.key), entry]));
  const completed: Settlement['completed'] = [];
  const write = (scope: string, key: string, fingerprint: Buffer | null, answer: Answer) => {
    const entry = { scope, key, fingerprint, status: 'completed', answer } as const;
    entries.set(idOf(scope, key), entry);
    completed.push(entry);
  };
  const outcomes = works.map(({ claim, barrier }, index): Outcome => {
    const { scope, key, fingerprint } = claim;
    const entry = entries.get(idOf(scope, key));
    if (entry) return repeatOf(entry, fingerprint);
    if (barrier && !entries.has(idOf(scope, barrier.key))) write(scope, barrier.key, null, barrier.refusal);
    const answer = perform(index);
    if (answer.kept !== false) write(scope, key, fingerprint, answer);
    return { kind: 'fresh', answer };
  });
  return { outcomes, completed };
}

/** What a request with a key that is already in the ledger gets. */
export function repeatOf(entry: Entry, fingerprint: Buffer): Outcome {
  if (entry.fingerprint && !entry.fingerprint.equals(fingerprint)) return { kind: 'reused' };
  return entry.status === 'completed' ? { kind: 'replayed', answer: entry.answer } : { kind: 'in-use' };
}

const idOf = (scope: string, key: string): string => `${scope}\n${key}`;
