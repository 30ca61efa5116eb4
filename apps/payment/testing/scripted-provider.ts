/**
 * A payment provider that does what a test tells it to do. Like the real one, it keeps its own list by idempotency key.
 * The same key gets the same answer and moves money once, whatever happened to the first answer. When it has forgotten
 * its keys, the same key moves money again. Its look-ups are late: they show nothing until the test says so.
 */
import { RetryableError, TerminalError } from '@shop/resilience';
import type { ChargeRequest, ChargeResult, Provider, RefundRequest } from '../src/payments/provider';

/**
 * - `fails-before`: the call fails and nothing was done.
 * - `loses-answer`: it was done, and the call fails.
 * - `hangs`: it was done, and the answer comes when the test lets it.
 * - `refuses`: the provider does not accept the request itself.
 */
export type ProviderFault = 'none' | 'fails-before' | 'loses-answer' | 'hangs' | 'refuses';

/** Lasts longer than the completers, which ask again in the background. */
export const lastingly = (fault: ProviderFault): ProviderFault[] => Array<ProviderFault>(50).fill(fault);

export interface KeptCharge extends ChargeRequest {
  result: ChargeResult;
}

export interface KeptRefund extends RefundRequest {
  result: { reference: string };
}

export class ScriptedProvider implements Provider {
  readonly charges = new Map<string, KeptCharge>();
  readonly refunds = new Map<string, KeptRefund>();
  /** Every request to move money, whether it was kept or not. Look-ups are not counted. */
  readonly calls: { call: 'charge' | 'refund'; idempotencyKey: string }[] = [];
  /** The payments whose charges and refunds are shown, or cannot be looked up. */
  private readonly lookUps = new Map<string, 'work' | 'fail'>();
  private readonly script = new Map<string, ProviderFault[]>();
  private readonly hanging = new Map<string, () => void>();

  /**
   * Sets what happens to the next calls for charges and refunds of this payment. After them, all calls succeed. If the
   * test does not know the id of the payment yet, it names the payment by its source.
   */
  plan(paymentIdOrSource: string, ...faults: ProviderFault[]): void {
    this.script.set(paymentIdOrSource, faults);
  }

  charge(request: ChargeRequest): Promise<ChargeResult> {
    const { paymentId, source } = request;
    const name = this.script.has(paymentId) ? paymentId : source;
    return this.answer('charge', request, name, () => this.keepCharge(request).result);
  }

  refund(request: RefundRequest): Promise<{ reference: string }> {
    const charge = this.chargeOf(request.reference);
    return this.answer('refund', request, charge.paymentId, () => this.keepRefund(request, charge).result);
  }

  findCharge({ paymentId, idempotencyKey }: ChargeRequest): Promise<ChargeResult | undefined> {
    const made = [...this.charges.values()].filter((charge) => charge.idempotencyKey === idempotencyKey);
    return this.lookUp(paymentId, made[0]?.result);
  }

  findRefund({ reference, idempotencyKey }: RefundRequest): Promise<{ reference: string } | undefined> {
    const made = [...this.refunds.values()].filter((refund) => refund.idempotencyKey === idempotencyKey);
    return this.lookUp(this.chargeOf(reference).paymentId, made[0]?.result);
  }

  /** From now on look-ups tell what was done for this payment, or they fail. */
  setLookUps(paymentId: string, how: 'work' | 'fail'): void {
    this.lookUps.set(paymentId, how);
  }

  /** From now on the keys of this payment are unknown. What was done under them stays, and is shown. */
  forgetKeys(paymentId: string): void {
    const references = [...this.charges.values()].filter((one) => one.paymentId === paymentId).map(referenceOf);
    rename(this.charges, (charge) => charge.paymentId === paymentId);
    rename(this.refunds, ({ reference }) => references.includes(reference));
    this.setLookUps(paymentId, 'work');
  }

  /** How often the customer was charged, whatever was given back. */
  timesCharged(paymentId: string): number {
    return [...this.charges.values()].filter((one) => one.paymentId === paymentId && isPaid(one)).length;
  }

  /** The charges that were made or declined for a source. */
  chargesOf(source: string): KeptCharge[] {
    return [...this.charges.values()].filter((charge) => charge.source === source);
  }

  /** The refunds that were made of a payment. */
  refundsOf(paymentId: string): KeptRefund[] {
    const references = [...this.charges.values()].filter((one) => one.paymentId === paymentId).map(referenceOf);
    return [...this.refunds.values()].filter(({ reference }) => references.includes(reference));
  }

  callsUnder(idempotencyKey: string): number {
    return this.calls.filter((call) => call.idempotencyKey === idempotencyKey).length;
  }

  isHanging(idempotencyKey: string): boolean {
    return this.hanging.has(idempotencyKey);
  }

  /** Lets the answer to a hanging call arrive. */
  letGo(idempotencyKey: string): void {
    this.hanging.get(idempotencyKey)!();
    this.hanging.delete(idempotencyKey);
  }

  /** The amount that the customer has paid in the end, in minor units. */
  taken(paymentId: string): number {
    const charged = [...this.charges.values()].filter((one) => one.paymentId === paymentId && isPaid(one));
    return sumOf(charged) - sumOf(this.refundsOf(paymentId));
  }

  private lookUp<T>(paymentId: string, made: T | undefined): Promise<T | undefined> {
    const how = this.lookUps.get(paymentId);
    if (how === 'fail') return Promise.reject(new RetryableError('the connection was refused'));
    return Promise.resolve(how === 'work' ? made : undefined);
  }

  private async answer<T>(
    call: 'charge' | 'refund',
    { idempotencyKey }: { idempotencyKey: string },
    name: string,
    keep: () => T,
  ): Promise<T> {
    this.calls.push({ call, idempotencyKey });
    const fault = this.script.get(name)?.shift() ?? 'none';
    if (fault === 'fails-before') throw new RetryableError('the connection was refused');
    if (fault === 'refuses') throw new TerminalError('the provider refuses the request');
    const result = keep();
    if (fault === 'loses-answer') throw new RetryableError('the connection was reset');
    if (fault === 'hangs') await new Promise<void>((resolve) => this.hanging.set(idempotencyKey, resolve));
    return result;
  }

  private keepCharge(request: ChargeRequest): KeptCharge {
    const { idempotencyKey, source } = request;
    const kept = this.charges.get(idempotencyKey);
    if (kept) {
      const { result: _, ...first } = kept;
      if (JSON.stringify(first) !== JSON.stringify(request))
        throw new TerminalError('the key was used for another charge');
      return kept;
    }
    const result: ChargeResult = source.startsWith('tok_declined')
      ? { outcome: 'declined', reason: 'generic_decline' }
      : { outcome: 'succeeded', reference: `pi_${this.charges.size + 1}` };
    const charge = { ...request, result };
    this.charges.set(idempotencyKey, charge);
    return charge;
  }

  private keepRefund(request: RefundRequest, charge: KeptCharge): KeptRefund {
    const kept = this.refunds.get(request.idempotencyKey);
    if (kept) return kept;
    if (this.taken(charge.paymentId) < request.amount) throw new TerminalError('more than was charged');
    const refund = { ...request, result: { reference: `re_${this.refunds.size + 1}` } };
    this.refunds.set(request.idempotencyKey, refund);
    return refund;
  }

  private chargeOf(reference: string): KeptCharge {
    const charge = [...this.charges.values()].find((one) => isPaid(one) && referenceOf(one) === reference);
    if (!charge) throw new TerminalError('there is no such charge');
    return charge;
  }
}

/** Keeps these entries under names that are no keys. */
function rename<T>(kept: Map<string, T>, isOne: (entry: T) => boolean): void {
  for (const [key, entry] of [...kept].filter(([, one]) => isOne(one))) {
    kept.delete(key);
    kept.set(`${key} (forgotten)`, entry);
  }
}

const isPaid = ({ result }: KeptCharge): boolean => result.outcome === 'succeeded';
const referenceOf = ({ result }: KeptCharge): string => (result.outcome === 'succeeded' ? result.reference : '');
const sumOf = (kept: { amount: number }[]): number => kept.reduce((sum, { amount }) => sum + amount, 0);
