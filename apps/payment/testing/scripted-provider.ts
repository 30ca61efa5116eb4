/**
 * A payment provider that does what a test tells it to do. Like the real one, it keeps intents under their references
 * and answers under idempotency keys: the same key gets the same answer, whatever happened to the first answer. An intent
 * takes money at most once. Its look-ups are late: they show nothing until the test says so.
 */
import { RetryableError, TerminalError } from '@shop/resilience';
import type { Intent } from '../src/payments/intent';
import type {
  CaptureRequest,
  Confirmation,
  IntentRequest,
  Provider,
  RefundRequest,
  ShownDispute,
  ShownRefund,
} from '../src/payments/provider';
import { type KeptIntent, type KeptRefund, ScriptedBooks } from './scripted-books';
import type { PaymentKey } from '../src/payments/payments.repository';
import type { Payout, ProviderReports } from '../src/webhooks/provider-reports';

/**
 * - `fails-before`: the call fails and nothing was done.
 * - `loses-answer`: it was done, and the call fails.
 * - `hangs`: it was done, and the answer comes when the test lets it.
 * - `refuses`: the provider does not accept the request itself.
 */
export type ProviderFault = 'none' | 'fails-before' | 'loses-answer' | 'hangs' | 'refuses';

/** Lasts longer than the completers, which ask again in the background. */
export const lastingly = (fault: ProviderFault): ProviderFault[] => Array<ProviderFault>(50).fill(fault);

export type ProviderCall = 'create' | 'confirm' | 'retrieve' | 'cancel' | 'capture' | 'refund';

/** What a source makes of an intent that is confirmed with it. Any other source is a good one. */
const outcomes: Record<string, (kept: KeptIntent) => Intent> = {
  tok_declined: ({ intent: { reference } }) => ({ status: 'declined', reference, reason: 'generic_decline' }),
  tok_3ds: ({ intent: { reference } }) => ({
    status: 'requires_action',
    reference,
    url: `https://bank.example/${reference}`,
  }),
  tok_processing: ({ intent: { reference } }) => ({ status: 'processing', reference }),
};
const isClosed = ({ status }: Intent) => status === 'succeeded' || status === 'cancelled' || status === 'processing';

export class ScriptedProvider extends ScriptedBooks implements Provider, ProviderReports {
  /** By their ids. */
  readonly payouts = new Map<string, Payout>();
  /** Every request, whether it was kept or not. Look-ups are not counted. */
  readonly calls: { call: ProviderCall; paymentId: string; idempotencyKey: string }[] = [];
  private readonly intentsByKey = new Map<string, KeptIntent>();
  private readonly capturesByKey = new Map<string, Intent>();
  /** The payments whose charges and refunds are shown, or cannot be looked up. */
  private readonly lookUps = new Map<string, 'work' | 'fail'>();
  private readonly script = new Map<string, ProviderFault[]>();
  private readonly hanging = new Map<string, () => void>();

  /**
   * Sets what happens to the next calls about this payment. After them, all calls succeed. If the test does not know
   * the id of the payment yet, it names the payment by its source: then the script is for the calls from its
   * confirmation on.
   */
  plan(paymentIdOrSource: string, ...faults: ProviderFault[]): void {
    this.script.set(paymentIdOrSource, faults);
  }

  createIntent(request: IntentRequest): Promise<Intent> {
    return this.answer('create', request, () => this.keepIntent(request).intent);
  }

  confirm({ reference, source, idempotencyKey }: Confirmation): Promise<Intent> {
    const kept = this.kept(reference);
    const { paymentId } = kept;
    if (this.script.has(source) && !this.script.has(paymentId)) this.plan(paymentId, ...this.script.get(source)!);
    return this.answer('confirm', { paymentId, idempotencyKey }, () => {
      if (kept.intent.status !== 'unconfirmed') return kept.intent;
      const [kind] = Object.keys(outcomes).filter((prefix) => source.startsWith(prefix));
      kept.source = source;
      kept.intent = kind ? outcomes[kind]!(kept) : taken(kept);
      return kept.intent;
    });
  }

  retrieve(reference: string): Promise<Intent> {
    const { paymentId } = this.kept(reference);
    return this.answer('retrieve', { paymentId, idempotencyKey: '' }, () => this.kept(reference).intent);
  }

  cancel({ reference, idempotencyKey }: { reference: string; idempotencyKey: string }): Promise<Intent> {
    const kept = this.kept(reference);
    return this.answer('cancel', { paymentId: kept.paymentId, idempotencyKey }, () => {
      if (!isClosed(kept.intent)) kept.intent = { ...kept.intent, status: 'cancelled', reference };
      return kept.intent;
    });
  }

  capture(request: CaptureRequest): Promise<Intent> {
    const { reference, idempotencyKey, id, amount, final } = request;
    const kept = this.kept(reference);
    return this.answer('capture', { paymentId: kept.paymentId, idempotencyKey }, () => {
      const known = this.capturesByKey.get(idempotencyKey);
      if (known) return known;
      const { status, captured = 0, captures = [] } = kept.intent;
      if (status !== 'authorized') return kept.intent;
      if (captured + amount > kept.amount) throw new TerminalError('more than is held');
      const now = { reference, captured: captured + amount, captures: [...captures, id] };
      kept.intent = { ...now, status: final || now.captured === kept.amount ? 'succeeded' : 'authorized' };
      this.capturesByKey.set(idempotencyKey, kept.intent);
      return kept.intent;
    });
  }

  refund(request: RefundRequest): Promise<ShownRefund> {
    const { paymentId } = this.kept(request.reference);
    const { idempotencyKey } = request;
    return this.answer('refund', { paymentId, idempotencyKey }, () => this.keepRefund(request).result);
  }

  findIntent({ paymentId, idempotencyKey }: IntentRequest): Promise<Intent | undefined> {
    const made = [...this.intents.values()].find((one) => one.idempotencyKey === idempotencyKey);
    return this.lookUp(paymentId, made?.intent);
  }

  findRefund({ reference, idempotencyKey }: RefundRequest): Promise<ShownRefund | undefined> {
    const made = [...this.refunds.values()].find((refund) => refund.idempotencyKey === idempotencyKey);
    return this.lookUp(this.kept(reference).paymentId, made?.result);
  }

  retrieveRefund(reference: string): Promise<ShownRefund> {
    return Promise.resolve([...this.refunds.values()].find(({ result }) => result.reference === reference)!.result);
  }

  dispute(id: string): Promise<ShownDispute> {
    return Promise.resolve(this.disputes.get(id)!);
  }

  disputesOf(reference: string): Promise<ShownDispute[]> {
    return Promise.resolve([...this.disputes.values()].filter(({ payment }) => payment?.reference === reference));
  }

  payout(id: string): Promise<Payout> {
    const payout = this.payouts.get(id);
    return payout ? Promise.resolve(payout) : Promise.reject(new TerminalError('there is no such payout'));
  }

  paymentOf(intentId: string): Promise<PaymentKey | undefined> {
    const kept = this.intents.get(intentId);
    return Promise.resolve(kept && { tenant: kept.tenant, id: kept.paymentId });
  }

  /** What a release did that asked for the money at once: the key is used, and nobody knows the name of the charge. */
  chargeAtOnce(request: IntentRequest, source: string): void {
    const kept = this.keepIntent(request);
    kept.source = source;
    kept.intent = source.startsWith('tok_declined') ? outcomes.tok_declined!(kept) : taken(kept);
    this.intentsByKey.set(request.idempotencyKey, { ...kept, amount: -1 });
  }

  /** The customer, or a bank, has decided about the payment. */
  decide(paymentId: string, outcome: 'approved' | 'processing' | 'declined'): void {
    for (const kept of this.intentsOf(paymentId)) {
      const { reference, status } = kept.intent;
      // The page of an intent that was given up is dead.
      if (status !== 'requires_action' && status !== 'processing') continue;
      if (outcome === 'processing') kept.intent = { status: 'processing', reference };
      else kept.intent = outcome === 'approved' ? taken(kept) : outcomes.tok_declined!(kept);
    }
  }

  /** From now on look-ups tell what was done for this payment, or they fail. */
  setLookUps(paymentId: string, how: 'work' | 'fail'): void {
    this.lookUps.set(paymentId, how);
  }

  /** From now on the keys of this payment are unknown. What was done under them stays, and is shown. */
  forgetKeys(paymentId: string): void {
    const references = this.intentsOf(paymentId).map(({ intent }) => intent.reference);
    for (const [key, one] of [...this.intentsByKey]) if (one.paymentId === paymentId) this.intentsByKey.delete(key);
    for (const [key, { reference }] of [...this.capturesByKey])
      if (references.includes(reference)) this.capturesByKey.delete(key);
    for (const [key, refund] of [...this.refunds]) {
      if (!references.includes(refund.reference)) continue;
      this.refunds.delete(key);
      this.refunds.set(`${key} (forgotten)`, refund);
    }
    this.setLookUps(paymentId, 'work');
  }

  /** How often the provider was asked to move money for this name of a charge or refund. */
  callsUnder(name: string): number {
    const isFor = (key: string) => key === name || key.startsWith(`${name}/confirm/`);
    return this.calls.filter(
      ({ call, idempotencyKey }) => ['confirm', 'refund'].includes(call) && isFor(idempotencyKey),
    ).length;
  }

  /** All calls about a payment, in order. */
  callsAbout(paymentId: string): ProviderCall[] {
    return this.calls.filter((one) => one.paymentId === paymentId).map(({ call }) => call);
  }

  isHanging(paymentId: string): boolean {
    return this.hanging.has(paymentId);
  }

  /** Lets the answer to the hanging call about this payment arrive. */
  letGo(paymentId: string): void {
    this.hanging.get(paymentId)!();
    this.hanging.delete(paymentId);
  }

  private lookUp<T>(paymentId: string, made: T | undefined): Promise<T | undefined> {
    const how = this.lookUps.get(paymentId);
    if (how === 'fail') return Promise.reject(new RetryableError('the connection was refused'));
    return Promise.resolve(how === 'work' ? made : undefined);
  }

  private async answer<T>(
    call: ProviderCall,
    { paymentId, idempotencyKey }: { paymentId: string; idempotencyKey: string },
    keep: () => T,
  ): Promise<T> {
    this.calls.push({ call, paymentId, idempotencyKey });
    const fault = this.script.get(paymentId)?.shift() ?? 'none';
    if (fault === 'fails-before') throw new RetryableError('the connection was refused');
    if (fault === 'refuses') throw new TerminalError('the provider refuses the request');
    const result = keep();
    if (fault === 'loses-answer') throw new RetryableError('the connection was reset');
    if (fault === 'hangs') await new Promise<void>((resolve) => this.hanging.set(paymentId, resolve));
    return result;
  }

  private keepIntent(request: IntentRequest): KeptIntent {
    const kept = this.intentsByKey.get(request.idempotencyKey);
    if (kept) {
      if (kept.amount !== request.amount) throw new RetryableError('the key was used for another charge');
      return kept;
    }
    const intent: Intent = { status: 'unconfirmed', reference: `pi_${this.intents.size + 1}` };
    const made: KeptIntent = { ...request, intent };
    this.intents.set(intent.reference, made);
    this.intentsByKey.set(request.idempotencyKey, made);
    return made;
  }

  private keepRefund(request: RefundRequest): KeptRefund {
    const kept = this.refunds.get(request.idempotencyKey);
    if (kept) return kept;
    const charge = this.kept(request.reference);
    if (this.checksRefunds && this.taken(charge.paymentId) < request.amount)
      throw new TerminalError('more than was charged');
    const result = { reference: `re_${this.refunds.size + 1}`, status: this.refundsBegin };
    const refund = { ...request, result };
    this.refunds.set(request.idempotencyKey, refund);
    return refund;
  }
}

const taken = ({ capture, intent: { reference } }: KeptIntent): Intent =>
  capture === 'manual' ? { status: 'authorized', reference, captured: 0 } : { status: 'succeeded', reference };
