/** Disputes: the customer's bank takes the money back, and gives it again when the merchant wins. */
import { Injectable } from '@nestjs/common';
import { newTransaction } from './balance-transaction';
import { Books, type Decision, type World } from './books';
import type { Charge } from './charge';
import { closedDispute, type Dispute, type DisputeReason, newDispute } from './dispute';
import type { Happening } from './event';

/** What the provider takes for its work with a dispute. */
const DISPUTE_FEE = 1_500;

interface Opened {
  kept: NonNullable<Decision['kept']>;
  happened: Happening[];
  dispute: Dispute;
}

export function disputeOf(
  charge: Charge,
  { amount, reason }: { amount: number; reason: DisputeReason },
  { newId, nowMs }: World,
): Opened {
  const id = newId('dp');
  const at = nowMs();
  const transaction = newTransaction({
    id: newId('txn'),
    type: 'adjustment',
    source: id,
    amount: -amount,
    fee: DISPUTE_FEE,
    currency: charge.currency,
    nowMs: at,
  });
  const dispute = newDispute(charge, { id, amount, reason, transaction, nowMs: at });
  const disputed = { ...charge, disputed: true };
  return { kept: [disputed, dispute, transaction], happened: [['charge.dispute.created', dispute]], dispute };
}

@Injectable()
export class Disputes {
  constructor(private readonly books: Books) {}

  /** Undefined when there is nothing to dispute: no money was taken, or as much as this is not left, or it is disputed. */
  open(charge: Charge, asked: { amount?: number; reason: DisputeReason }): Dispute | undefined {
    const left = charge.amount_captured - charge.amount_refunded;
    const amount = asked.amount ?? left;
    if (charge.disputed || left === 0 || amount > left) return undefined;
    const { dispute, ...decision } = disputeOf(charge, { amount, reason: asked.reason }, this.books.world);
    this.books.record(decision);
    return dispute;
  }

  /** Undefined when it is closed already. */
  close(dispute: Dispute, status: 'won' | 'lost'): Dispute | undefined {
    if (dispute.status !== 'needs_response') return undefined;
    const { newId, nowMs } = this.books.world;
    const { id, amount, currency } = dispute;
    const given =
      status === 'won'
        ? newTransaction({ id: newId('txn'), type: 'adjustment', source: id, amount, currency, nowMs: nowMs() })
        : undefined;
    const closed = closedDispute(dispute, status, given);
    this.books.record({ kept: [closed, ...(given ? [given] : [])], happened: [['charge.dispute.closed', closed]] });
    return closed;
  }

  /** Whether the bank has the money, or may have it soon. */
  holds(charge: Charge): boolean {
    return this.books.disputes.all().some((dispute) => dispute.charge === charge.id && dispute.status !== 'won');
  }
}
