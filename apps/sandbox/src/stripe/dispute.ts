/** A dispute on the wire: the customer has complained to the bank, and the bank takes the money back (https://docs.stripe.com/api/disputes/object). */
import type { BalanceTransaction } from './balance-transaction';
import type { Charge } from './charge';

export const disputeReasons = ['duplicate', 'fraudulent', 'general', 'product_not_received', 'unrecognized'] as const;
export type DisputeReason = (typeof disputeReasons)[number];

export interface Dispute {
  id: string;
  object: 'dispute';
  amount: number;
  balance_transactions: BalanceTransaction[];
  charge: string;
  created: number;
  currency: string;
  is_charge_refundable: boolean;
  livemode: false;
  metadata: Record<string, string>;
  payment_intent: string;
  reason: DisputeReason;
  status: 'needs_response' | 'won' | 'lost';
}

interface NewDispute {
  id: string;
  amount: number;
  reason: DisputeReason;
  transaction: BalanceTransaction;
  nowMs: number;
}

export function newDispute(charge: Charge, { id, amount, reason, transaction, nowMs }: NewDispute): Dispute {
  return {
    id,
    object: 'dispute',
    amount,
    balance_transactions: [transaction],
    charge: charge.id,
    created: Math.floor(nowMs / 1_000),
    currency: charge.currency,
    is_charge_refundable: false,
    livemode: false,
    metadata: {},
    payment_intent: charge.payment_intent,
    reason,
    status: 'needs_response',
  };
}

/** @param transaction what brings the money back when the merchant has won. */
export function closedDispute(dispute: Dispute, status: 'won' | 'lost', transaction?: BalanceTransaction): Dispute {
  return {
    ...dispute,
    balance_transactions: [...dispute.balance_transactions, ...(transaction ? [transaction] : [])],
    is_charge_refundable: status === 'won',
    status,
  };
}
