/**
 * The provider's books: what was charged, what was refunded, and which answer each idempotency key has.
 *
 * Every decision is one entry: the answer with the money it moved. An entry is written to the journal before it is valid,
 * and reading the journal from the start gives the same books again.
 */
import { randomBytes } from 'node:crypto';
import { alreadyRefunded, type Answer, type Call, declined, type Entry, type JournalEntry } from './answer';
import { checkAmount } from './currencies';
import type { Journal } from './journal';
import { type ChargeForm, newPaymentIntent, type PaymentIntent } from './payment-intent';
import { newRefund, type Refund, type RefundForm } from './refund';
import { sourceOf } from './sources';
import { keyReused, missing } from './stripe-error';

/** One charge that took money, for the audit. */
export interface ChargeRecord {
  id: string;
  amount: number;
  currency: string;
  metadata: Record<string, string>;
  idempotencyKey: string | null;
  refunded: number;
  status: 'succeeded';
}

/** What the books need from outside. */
export interface World {
  nowMs: () => number;
  newId: (prefix: 'pi' | 'ch' | 're') => string;
}

/** The part of an id after its prefix, as long as Stripe's. */
const ID_BYTES = 12;
const realWorld: World = {
  nowMs: () => Date.now(),
  newId: (prefix) => `${prefix}_${randomBytes(ID_BYTES).toString('hex')}`,
};

export class Books {
  private answers = new Map<string, Entry>();
  private intentsById = new Map<string, PaymentIntent>();
  private keyByIntent = new Map<string, string>();
  private refundedByIntent = new Map<string, number>();
  /** Oldest first, declined ones too. */
  intents: PaymentIntent[] = [];
  /** Oldest first. */
  refunds: Refund[] = [];

  constructor(
    private readonly journal: Journal<JournalEntry>,
    private readonly world: World = realWorld,
  ) {
    for (const entry of journal.entries) this.apply(entry);
  }

  hasAnswer(key: string | undefined): boolean {
    return key !== undefined && this.answers.has(key);
  }

  /** 200 with the intent, or 402 when the card is declined. @throws StripeError for a key used for something else. */
  charge(call: Call, form: ChargeForm): Answer {
    return this.once(call, () => {
      const declineCode = sourceOf(form.source)?.declineCode;
      const { newId, nowMs } = this.world;
      const intent = newPaymentIntent(form, { declineCode, newId, nowMs: nowMs() });
      return declineCode === undefined ? { status: 200, body: intent } : declined(intent, declineCode);
    });
  }

  /** 200 with the refund, or 400 when less is left. @throws StripeError as above, and for an unknown payment. */
  refund(call: Call, form: RefundForm): Answer {
    return this.once(call, () => {
      const intent = this.intentsById.get(form.paymentIntent);
      if (!intent) throw missing('payment_intent', form.paymentIntent, { status: 404, param: 'payment_intent' });
      const left = intent.amount_received - this.refundedOf(intent.id);
      const amount = form.amount ?? left;
      checkAmount(amount, intent.currency);
      if (amount > left || left === 0) return alreadyRefunded(intent, left);
      const { newId, nowMs } = this.world;
      const { metadata } = form;
      return { status: 200, body: newRefund(intent, { id: newId('re'), amount, metadata, nowMs: nowMs() }) };
    });
  }

  /** @throws StripeError 404. */
  intent(id: string): PaymentIntent {
    const intent = this.intentsById.get(id);
    if (!intent) throw missing('payment_intent', id, { status: 404, param: 'intent' });
    return intent;
  }

  charges(): ChargeRecord[] {
    return this.intents.flatMap(({ id, amount, currency, metadata, status }) => {
      if (status !== 'succeeded') return [];
      const idempotencyKey = this.keyByIntent.get(id) ?? null;
      return [{ id, amount, currency, metadata, idempotencyKey, refunded: this.refundedOf(id), status }];
    });
  }

  /** What Stripe does a day later: a known key is a new one, and the money that moved under it stays where it is. */
  forgetKeys(): void {
    this.write({ forgetsKeys: true });
  }

  clear(): void {
    this.journal.clear();
    for (const map of [this.answers, this.intentsById, this.keyByIntent, this.refundedByIntent]) map.clear();
    this.intents = [];
    this.refunds = [];
  }

  private once(call: Call, decide: () => Answer): Answer {
    const stored = call.key === undefined ? undefined : this.answers.get(call.key);
    if (stored) {
      if (stored.fingerprint !== call.fingerprint) throw keyReused(call.key!);
      return { status: stored.status, body: stored.body, replayed: true };
    }
    const answer = decide();
    this.write({ ...call, ...answer });
    return answer;
  }

  private write(entry: JournalEntry): void {
    this.journal.append(entry);
    this.apply(entry);
  }

  private apply(entry: JournalEntry): void {
    if ('forgetsKeys' in entry) return this.answers.clear();
    const { key, body } = entry;
    if (key !== undefined) this.answers.set(key, entry);
    if ('error' in body) {
      if (body.error.payment_intent) this.addIntent(body.error.payment_intent, key);
    } else if (body.object === 'payment_intent') {
      this.addIntent(body, key);
    } else {
      this.refunds.push(body);
      this.refundedByIntent.set(body.payment_intent, this.refundedOf(body.payment_intent) + body.amount);
    }
  }

  private addIntent(intent: PaymentIntent, key: string | undefined): void {
    this.intents.push(intent);
    this.intentsById.set(intent.id, intent);
    if (key !== undefined) this.keyByIntent.set(intent.id, key);
  }

  private refundedOf(intentId: string): number {
    return this.refundedByIntent.get(intentId) ?? 0;
  }
}
