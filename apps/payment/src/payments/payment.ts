/** A payment, and the decision what a charge or refund command has to do. Pure. */
import { createHash } from 'node:crypto';
import type { Entry } from '@shop/idempotency';

export interface Payment {
  tenant: string;
  id: string;
  orderId: string | null;
  amount: number;
  currency: string;
  source: string;
  status: 'pending' | 'succeeded' | 'declined';
  declineReason: string | null;
  providerReference: string | null;
  refunded: number;
  version: number;
  createdAt: string;
}

/** Derived from the command, so that a command makes one payment even when the ledger has forgotten it. */
export function paymentIdOf(chargeId: string): string {
  return `pmt_${createHash('sha256').update(chargeId).digest('base64url').slice(0, 27)}`;
}

/** What to do for a refund, given what the ledger knows of its charge. */
export type RefundPlan =
  /** It never arrived: nothing to give back, and it must be refused if it still comes. */
  | 'bar-charge'
  /** It was declined, barred or given back already. */
  | 'nothing-to-refund'
  /** Its outcome is not known, and somebody else is on it: nobody may say that there was none. */
  | 'wait-for-charge'
  /** Nobody is on it any more: find out first. */
  | 'resolve-charge'
  | 'refund';

export function planRefund(charge: Entry | undefined, payment: Payment | undefined): RefundPlan {
  if (!charge && !payment) return 'bar-charge';
  if (charge?.status === 'pending') return charge.leaseExpired && payment ? 'resolve-charge' : 'wait-for-charge';
  if (payment?.status === 'pending') return 'wait-for-charge';
  return payment?.status === 'succeeded' && payment.refunded < payment.amount ? 'refund' : 'nothing-to-refund';
}
