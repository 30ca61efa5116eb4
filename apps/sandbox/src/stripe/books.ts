/**
 * The provider's books: every object that it has made, and which answer each idempotency key has.
 *
 * Every decision is one entry: the new versions of the objects, what happened, and the answer. An entry is written to
 * the journal before it is valid, and reading the journal from the start gives the same books again.
 */
import { randomBytes } from 'node:crypto';
import type { Answer, Call } from './answer';
import type { BalanceTransaction } from './balance-transaction';
import type { Charge } from './charge';
import type { Dispute } from './dispute';
import { type Happening, newEvent, type StripeEvent } from './event';
import type { Journal } from './journal';
import type { PaymentIntent } from './payment-intent';
import type { Payout } from './payout';
import type { Refund } from './refund';
import { Shelf } from './shelf';
import { keyReused } from './stripe-error';

export type Kept = PaymentIntent | Charge | Refund | Dispute | Payout | BalanceTransaction | StripeEvent;

/** What is decided about a request, or by an admin. */
export interface Decision {
  answer?: Answer;
  kept?: Exclude<Kept, StripeEvent>[];
  happened?: Happening[];
  /** The balance transactions that a payout pays. */
  paysOut?: { payout: string; transactions: string[] };
}

/** A line of the journal. */
export type JournalEntry =
  | (Partial<Call> & { answer?: Answer; kept: Kept[]; paysOut?: Decision['paysOut']; atMs: number })
  | { forgetsKeys: true };

type IdPrefix = 'pi' | 'ch' | 're' | 'dp' | 'po' | 'txn' | 'evt';

/** What the books need from outside. */
export interface World {
  nowMs: () => number;
  newId: (prefix: IdPrefix) => string;
}

/** The part of an id after its prefix, as long as Stripe's. */
const ID_BYTES = 12;
const realWorld: World = {
  nowMs: () => Date.now(),
  newId: (prefix) => `${prefix}_${randomBytes(ID_BYTES).toString('hex')}`,
};

export class Books {
  private readonly shelves = {
    payment_intent: new Shelf<PaymentIntent>('payment_intent'),
    charge: new Shelf<Charge>('charge'),
    refund: new Shelf<Refund>('refund'),
    dispute: new Shelf<Dispute>('dispute'),
    payout: new Shelf<Payout>('payout'),
    balance_transaction: new Shelf<BalanceTransaction>('balance_transaction'),
    event: new Shelf<StripeEvent>('event'),
  };
  readonly intents = this.shelves.payment_intent;
  readonly charges = this.shelves.charge;
  readonly refunds = this.shelves.refund;
  readonly disputes = this.shelves.dispute;
  readonly payouts = this.shelves.payout;
  readonly transactions = this.shelves.balance_transaction;
  readonly events = this.shelves.event;
  private readonly answers = new Map<string, { fingerprint?: string; answer: Answer }>();
  private readonly firstCalls = new Map<string, { key?: string; atMs: number }>();
  private readonly payoutByTransaction = new Map<string, string>();
  private readonly listeners: ((kept: readonly Kept[]) => void)[] = [];

  constructor(
    private readonly journal: Journal<JournalEntry>,
    readonly world: World = realWorld,
  ) {
    for (const entry of journal.entries) this.apply(entry);
  }

  hasAnswer(key: string | undefined): boolean {
    return key !== undefined && this.answers.has(key);
  }

  /** Decides once for each key. @throws StripeError for a key that was used for something else. */
  once(call: Call, decide: () => Decision & { answer: Answer }): Answer {
    const stored = call.key === undefined ? undefined : this.answers.get(call.key);
    if (stored) {
      if (stored.fingerprint !== call.fingerprint) throw keyReused(call.key!);
      return { ...stored.answer, replayed: true };
    }
    const decision = decide();
    this.record(decision, call);
    return decision.answer;
  }

  record({ answer, kept = [], happened = [], paysOut }: Decision, call: Partial<Call> = {}): void {
    const { newId, nowMs } = this.world;
    const atMs = nowMs();
    const events = happened.map((each) => newEvent(each, { id: newId('evt'), key: call.key, nowMs: atMs }));
    this.write({ ...call, answer, kept: [...kept, ...events], paysOut, atMs });
  }

  /** Called after each entry, with what it has changed. Not for what an earlier run has written. */
  onEntry(listener: (kept: readonly Kept[]) => void): void {
    this.listeners.push(listener);
  }

  /** The request that has made an intent. */
  firstCallOf(intentId: string): { key?: string; atMs: number } | undefined {
    return this.firstCalls.get(intentId);
  }

  payoutOf(transactionId: string): string | undefined {
    return this.payoutByTransaction.get(transactionId);
  }

  /** An object of any kind. */
  find(id: string): Kept | undefined {
    for (const shelf of Object.values(this.shelves)) {
      const found = shelf.find(id);
      if (found) return found;
    }
    return undefined;
  }

  /** What Stripe does a day later: a known key is a new one, and the money that moved under it stays where it is. */
  forgetKeys(): void {
    this.write({ forgetsKeys: true });
  }

  clear(): void {
    this.journal.clear();
    for (const shelf of Object.values(this.shelves)) shelf.clear();
    for (const map of [this.answers, this.firstCalls, this.payoutByTransaction]) map.clear();
  }

  private write(entry: JournalEntry): void {
    this.journal.append(entry);
    this.apply(entry);
    if ('kept' in entry) for (const listener of this.listeners) listener(entry.kept);
  }

  private apply(entry: JournalEntry): void {
    if ('forgetsKeys' in entry) return this.answers.clear();
    const { key, fingerprint, answer, kept, paysOut, atMs } = entry;
    if (!Array.isArray(kept)) throw new Error('the file is from an earlier version of the sandbox: remove it');
    if (key !== undefined && answer) this.answers.set(key, { fingerprint, answer });
    for (const object of kept) {
      if (object.object === 'payment_intent' && !this.firstCalls.has(object.id)) {
        this.firstCalls.set(object.id, { key, atMs });
      }
      // The union of the shelves takes no union of objects, though each object is on the shelf of its own kind.
      (this.shelves[object.object] as Shelf<Kept>).put(object);
    }
    for (const id of paysOut?.transactions ?? []) this.payoutByTransaction.set(id, paysOut!.payout);
  }
}
