/** The books of the scripted provider: what customers were charged, what went back, and what banks took back. */
import { TerminalError } from '@shop/resilience';
import type { Intent } from '../src/payments/intent';
import type { IntentRequest, RefundRequest, RefundState, ShownDispute, ShownRefund } from '../src/payments/provider';

export interface KeptIntent extends IntentRequest {
  intent: Intent;
  /** With which it was confirmed. */
  source?: string;
}

export interface KeptRefund extends RefundRequest {
  result: ShownRefund;
}

export class ScriptedBooks {
  /** By their references, oldest first. */
  readonly intents = new Map<string, KeptIntent>();
  readonly refunds = new Map<string, KeptRefund>();
  readonly disputes = new Map<string, ShownDispute>();
  /** What becomes of a refund when it is accepted. */
  refundsBegin: RefundState = 'succeeded';
  /** Whether it refuses to give back more than was charged. Without this, only our own guard does. */
  checksRefunds = true;

  /** A bank takes this much back for its customer, or what is left. Returns the id of the dispute. */
  openDispute(paymentId: string, amount: number): string {
    const [{ tenant, currency, intent }] = this.intentsOf(paymentId) as [KeptIntent];
    const id = `dp_${this.disputes.size + 1}`;
    this.disputes.set(id, {
      id,
      status: 'open',
      amount: Math.min(amount, this.taken(paymentId)),
      currency,
      reason: 'fraudulent',
      openedAt: new Date(0).toISOString(),
      payment: { tenant, id: paymentId, reference: intent.reference },
    });
    return id;
  }

  decideDispute(id: string, status: ShownDispute['status']): void {
    this.disputes.set(id, { ...this.disputes.get(id)!, status });
  }

  /** What became of the refunds of a payment that were accepted. */
  decideRefunds(paymentId: string, status: RefundState): void {
    for (const refund of this.refundsOf(paymentId)) refund.result = { ...refund.result, status };
  }

  intentsOf(paymentId: string): KeptIntent[] {
    return [...this.intents.values()].filter((one) => one.paymentId === paymentId);
  }

  /** How often the customer was charged, whatever was given back. */
  timesCharged(paymentId: string): number {
    return this.intentsOf(paymentId).filter(isPaid).length;
  }

  /** The intents that were confirmed with a source. */
  chargesOf(source: string): KeptIntent[] {
    return [...this.intents.values()].filter((one) => one.source === source);
  }

  /** The refunds that were made of a payment. */
  refundsOf(paymentId: string): KeptRefund[] {
    return [...this.refunds.values()].filter(({ reference }) => this.kept(reference).paymentId === paymentId);
  }

  /** The amount that the customer has paid in the end, in minor units. */
  taken(paymentId: string): number {
    const given = this.refundsOf(paymentId).filter(({ result }) => result.status !== 'failed');
    const disputed = [...this.disputes.values()].filter(
      ({ payment, status }) => payment?.id === paymentId && (status === 'open' || status === 'lost'),
    );
    return sumOf(this.intentsOf(paymentId).map(paidOf)) - sumOf(given) - sumOf(disputed);
  }

  protected kept(reference: string): KeptIntent {
    const kept = this.intents.get(reference);
    if (!kept) throw new TerminalError('there is no such intent');
    return kept;
  }
}

/** What the customer paid with an intent. Of money that is held, only captures count. */
const paidOf = ({ intent: { status, captured }, amount }: KeptIntent): { amount: number } => ({
  amount: captured ?? (status === 'succeeded' ? amount : 0),
});
const isPaid = ({ intent }: KeptIntent): boolean => intent.status === 'succeeded';
const sumOf = (kept: { amount: number }[]): number => kept.reduce((sum, { amount }) => sum + amount, 0);
