/** A change of the merchant's balance on the wire (https://docs.stripe.com/api/balance_transactions/object). */

export interface BalanceTransaction {
  id: string;
  object: 'balance_transaction';
  /** Below zero for money that goes away. */
  amount: number;
  available_on: number;
  created: number;
  currency: string;
  fee: number;
  /** The amount without the fee. */
  net: number;
  /** The charge, refund, dispute or payout that has changed the balance. */
  source: string;
  status: 'available';
  type: 'charge' | 'refund' | 'refund_failure' | 'adjustment' | 'payout' | 'payout_failure';
}

export interface Movement {
  id: string;
  type: BalanceTransaction['type'];
  source: string;
  amount: number;
  currency: string;
  fee?: number;
  nowMs: number;
}

const FEE_SHARE = 0.015;
const FEE_UNITS = 25;

/** What the provider keeps of a charge: a share, and some units. */
export function feeOf(amount: number): number {
  return Math.round(amount * FEE_SHARE) + FEE_UNITS;
}

export function newTransaction({ id, type, source, amount, currency, fee = 0, nowMs }: Movement): BalanceTransaction {
  const created = Math.floor(nowMs / 1_000);
  return {
    id,
    object: 'balance_transaction',
    amount,
    available_on: created,
    created,
    currency,
    fee,
    net: amount - fee,
    source,
    status: 'available',
    type,
  };
}
