/**
 * The decision of the ledger, pure: which of these works are new, which were done before, and what is to be written.
 *
 * Works are settled one after the other in arrival order, and each sees what the ones before it did, so repeats within
 * a batch, an undo behind its do, and a do behind its undo come out as if they had arrived alone.
 */
import type { Answer } from './answer';
import { isKept, withoutSecrets } from './policy';

/** The right to run one piece of work once: the caller's name for it within a scope, and what it asks. */
export interface Claim {
  /** Who may repeat it: tenant, principal and route of a request; the consumer of a message. */
  scope: string;
  key: string;
  /** 32 bytes; the same key with another fingerprint is another request under a used name. */
  fingerprint: Buffer;
  /** How long the answer is kept after completion; the ledger's own retention unless given. */
  retentionHours?: number;
  /** Members of the answer's body that are not kept. */
  redact?: readonly string[];
}

/** A row of the ledger. A tombstone (an undo came before its do) has no fingerprint: it answers whatever comes. */
export type Entry = { scope: string; key: string; fingerprint: Buffer | null } & (
  { status: 'completed'; answer: Answer } | { status: 'pending'; leaseExpired: boolean } | { status: 'erased' }
);

/** A row to be written. */
export type CompletedEntry = Entry & { status: 'completed'; retentionHours?: number };

export interface Work {
  claim: Claim;
  /** Of an undo: the key of its do (same scope), and what the do is answered if it comes after all. */
  barrier?: { key: string; refusal: Answer };
  /** Nothing is known of its key (see `RecentKeys`), so the first run need not look it up: its insert tells. */
  seemsNew?: boolean;
}

export type Outcome =
  /** `resumed` when an earlier run had begun it. */
  | { kind: 'fresh'; answer: Answer; resumed?: boolean }
  | { kind: 'replayed'; answer: Answer }
  /** The key was used for another request. */
  | { kind: 'reused' }
  /** The work with this key is under way elsewhere. */
  | { kind: 'in-use' }
  /** The work was done; what was answered has been erased. */
  | { kind: 'erased' };

export interface Settlement {
  /** One per work, in order. */
  outcomes: Outcome[];
  /** Rows to insert, tombstones included. */
  completed: CompletedEntry[];
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
  const entries = new Map(known.map((entry) => [idOf(entry), entry]));
  const completed: CompletedEntry[] = [];
  const write = (entry: CompletedEntry) => {
    entries.set(idOf(entry), entry);
    completed.push(entry);
  };
  const outcomes = works.map(({ claim, barrier }, index): Outcome => {
    const entry = entries.get(idOf(claim));
    if (entry) return repeatOf(entry, claim.fingerprint);
    const { scope } = claim;
    if (barrier && !entries.has(idOf({ scope, key: barrier.key }))) {
      write({ scope, key: barrier.key, fingerprint: null, status: 'completed', answer: barrier.refusal });
    }
    const answer = perform(index);
    if (isKept(answer)) write(entryOf(claim, answer));
    return { kind: 'fresh', answer };
  });
  return { outcomes, completed };
}

/** The row that keeps this answer for the claim. */
export function entryOf({ scope, key, fingerprint, retentionHours, redact }: Claim, answer: Answer): CompletedEntry {
  return { scope, key, fingerprint, status: 'completed', answer: withoutSecrets(answer, redact), retentionHours };
}

/** What a request with a key that is already in the ledger gets. */
export function repeatOf(entry: Entry, fingerprint: Buffer): Outcome {
  if (entry.status === 'erased') return { kind: 'erased' };
  if (entry.fingerprint && !entry.fingerprint.equals(fingerprint)) return { kind: 'reused' };
  return entry.status === 'completed' ? { kind: 'replayed', answer: entry.answer } : { kind: 'in-use' };
}

/** Whether a request with this fingerprint finds work of its own that nobody is on any more. */
export function isLeft(entry: Entry, fingerprint: Buffer): boolean {
  return entry.status === 'pending' && entry.leaseExpired && repeatOf(entry, fingerprint).kind === 'in-use';
}

/** One text for a key within its scope. */
export const idOf = ({ scope, key }: { scope: string; key: string }): string => `${scope}\n${key}`;
