/** Books without a file, whose ids and clock are known, with what acts on them. */
import type { Call } from '../src/stripe/answer';
import { Books, type JournalEntry, type World } from '../src/stripe/books';
import { Disputes } from '../src/stripe/disputes';
import { Intents, type NewIntent } from '../src/stripe/intents';
import type { Journal } from '../src/stripe/journal';
import { Payouts } from '../src/stripe/payouts';
import { Refunds } from '../src/stripe/refunds';

export const NOW_MS = 1_700_000_000_000;

export function openBooks(journal: Partial<Journal<JournalEntry>> = {}) {
  const entries: JournalEntry[] = [];
  const append = (entry: JournalEntry) => void entries.push(structuredClone(entry));
  const books = new Books({ entries: [], append, clear: () => void entries.splice(0), ...journal }, counting());
  const disputes = new Disputes(books);
  const refunds = new Refunds(books, disputes);
  return { books, entries, intents: new Intents(books), disputes, refunds, payouts: new Payouts(books) };
}

/** What another run reads from this journal. */
export function reread(entries: JournalEntry[]): Books {
  return new Books({ entries, append: () => undefined, clear: () => undefined }, counting());
}

export function counting(): World {
  const counts = new Map<string, number>();
  const newId = (prefix: string) => {
    counts.set(prefix, (counts.get(prefix) ?? 0) + 1);
    return `${prefix}_${counts.get(prefix)}`;
  };
  return { nowMs: () => NOW_MS, newId };
}

/** A request to take 100 at once. */
export function asking(source = 'tok_ok', change: Partial<NewIntent['form']> = {}): NewIntent {
  const metadata = { commandId: 'c' };
  const form = { amount: 100, currency: 'usd', source, metadata, captureMethod: 'automatic', ...change } as const;
  return { form, confirmation: { failsOnAction: false } };
}

export const pageUrl = (id: string): string => `http://bank/3ds/${id}`;

let calls = 0;
/** A request that nobody has made before. */
export function newCall(): Call {
  return { key: `call-${(calls += 1)}`, fingerprint: 'f' };
}
