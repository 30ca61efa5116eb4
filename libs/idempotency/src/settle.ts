/**
 * The decision of the ledger: which of these works are new, which were done before, and what has to be written. Pure.
 *
 * The works are settled one after the other in the order of arrival. Each work sees what the works before it did. So
 * these have the same result in one batch as if they had arrived alone: repeats, an undo after its do, and a do after
 * its undo.
 */
import type { Answer } from './answer';
import { isKept, withoutSecrets } from './policy';

/** A key within its scope. */
export interface Key {
  scope: string;
  key: string;
}

/** The right to run one piece of work once: the caller's name for it within a scope, and its fingerprint. */
export interface Claim extends Key {
  /** Who may repeat it: the tenant, principal and route of a request, or the consumer of a message. */
  scope: string;
  key: string;
  /** 32 bytes. The same key with another fingerprint is another request under a used name. */
  fingerprint: Buffer;
  /** How long the answer is kept after completion. The default is the retention of the ledger. */
  retentionHours?: number;
  /** Members of the answer's body that are not kept. */
  redact?: readonly string[];
  /** The `traceparent` that leased work goes on in, whoever resumes it. */
  trace?: string;
}

/**
 * A row of the ledger. A tombstone (an undo came before its do) has no fingerprint, because it answers every request.
 */
export type Entry = Key & { fingerprint: Buffer | null } & (
    { status: 'completed'; answer: Answer } | { status: 'pending'; leaseExpired: boolean } | { status: 'erased' }
  );

/** A row to be written. */
export type CompletedEntry = Entry & { status: 'completed'; retentionHours?: number };

export interface Work {
  claim: Claim;
  /** For an undo: the key of its do (in the same scope), and the answer that the do gets if it comes later. */
  barrier?: { key: string; refusal: Answer };
}

/**
 * A decision without an answer: the rest of the work makes an outside call. It is the leased work of this name, with
 * this input (JSON).
 */
export interface CallOutside {
  leased: string;
  input: unknown;
}

export type Outcome =
  /** `resumed` when an earlier run had begun it. */
  | { kind: 'fresh'; answer: Answer; resumed?: boolean }
  | { kind: 'replayed'; answer: Answer }
  /** The key was used for another request. */
  | { kind: 'reused' }
  /**
   * Somebody works on it, or, if it `waitsForDo`, on the do that it undoes. `left` is the key of the two that nobody
   * works on any more.
   */
  | { kind: 'in-use'; left?: Key; waitsForDo?: true }
  /** The work was done, and its answer has been erased. */
  | { kind: 'erased' };

/** Work that is claimed now, and still has to be carried out outside. */
export interface Begun {
  kind: 'begun';
  claim: Claim;
  call: CallOutside;
}

/** The result for a work. If `CallOutside` is one of the decisions, the work may be only begun. */
export type Settled<Decision> = Outcome | (Decision extends CallOutside ? Begun : never);

export interface Settlement<Decision> {
  /** One per work, in order. */
  outcomes: Settled<Decision>[];
  /** Rows to insert, tombstones included. */
  completed: CompletedEntry[];
  /** The keys of pending dos whose undo has come, each once. Whoever works on one of them has to learn it. */
  marks: Key[];
}

/**
 * @param known the rows that exist for the keys of these works (and of their barriers)
 * @param perform decides the work at this index; it is not called again for a key whose answer is kept
 */
export function settle<Decision extends Answer | CallOutside = Answer>(
  known: readonly Entry[],
  works: readonly Work[],
  perform: (index: number) => Decision,
): Settlement<Decision> {
  const entries = new Map(known.map((entry) => [idOf(entry), entry]));
  const completed: CompletedEntry[] = [];
  const marks = new Map<string, Key>();
  const write = (entry: CompletedEntry) => {
    entries.set(idOf(entry), entry);
    completed.push(entry);
  };
  const settleOne = ({ claim, barrier }: Work, index: number): Outcome | Begun => {
    const entry = entries.get(idOf(claim));
    if (entry) return repeatOf(entry, claim.fingerprint);
    if (barrier) {
      const done = { scope: claim.scope, key: barrier.key };
      const doEntry = entries.get(idOf(done));
      // An outside call is in flight, or its process has died during it. Nothing can be undone before its outcome is
      // known. The mark tells whoever goes on with the do that nobody wants it any more.
      if (doEntry?.status === 'pending') {
        marks.set(idOf(done), done);
        return { ...inUse(doEntry), waitsForDo: true };
      }
      if (!doEntry) write({ ...done, fingerprint: null, status: 'completed', answer: barrier.refusal });
    }
    const decision = perform(index);
    if ('leased' in decision) {
      entries.set(idOf(claim), { ...claim, status: 'pending', leaseExpired: false });
      return { kind: 'begun', claim, call: decision };
    }
    if (isKept(decision)) write(entryOf(claim, decision));
    return { kind: 'fresh', answer: decision };
  };
  const outcomes = works.map(settleOne) as Settled<Decision>[];
  return { outcomes, completed, marks: [...marks.values()] };
}

/** The row that keeps this answer for the claim. */
export function entryOf({ scope, key, fingerprint, retentionHours, redact }: Claim, answer: Answer): CompletedEntry {
  return { scope, key, fingerprint, status: 'completed', answer: withoutSecrets(answer, redact), retentionHours };
}

/** The result for a request whose key is already in the ledger. */
export function repeatOf(entry: Entry, fingerprint: Buffer): Outcome {
  if (entry.status === 'erased') return { kind: 'erased' };
  if (entry.fingerprint && !entry.fingerprint.equals(fingerprint)) return { kind: 'reused' };
  return entry.status === 'completed' ? { kind: 'replayed', answer: entry.answer } : inUse(entry);
}

function inUse({ scope, key, leaseExpired }: Entry & { status: 'pending' }): Outcome & { kind: 'in-use' } {
  return leaseExpired ? { kind: 'in-use', left: { scope, key } } : { kind: 'in-use' };
}

/** One text for a key within its scope. */
export const idOf = ({ scope, key }: Key): string => `${scope}\n${key}`;
