/** A payout on the wire: the provider sends the merchant's balance to its bank (https://docs.stripe.com/api/payouts/object). */

export interface Payout {
  id: string;
  object: 'payout';
  amount: number;
  arrival_date: number;
  automatic: true;
  balance_transaction: string;
  created: number;
  currency: string;
  failure_balance_transaction: string | null;
  failure_code: 'account_closed' | null;
  failure_message: string | null;
  livemode: false;
  metadata: Record<string, string>;
  method: 'standard';
  reconciliation_status: 'completed';
  status: 'paid' | 'failed';
  type: 'bank_account';
}

interface NewPayout {
  id: string;
  amount: number;
  currency: string;
  transaction: string;
  nowMs: number;
}

export function newPayout({ id, amount, currency, transaction, nowMs }: NewPayout): Payout {
  const created = Math.floor(nowMs / 1_000);
  return {
    id,
    object: 'payout',
    amount,
    arrival_date: created,
    automatic: true,
    balance_transaction: transaction,
    created,
    currency,
    failure_balance_transaction: null,
    failure_code: null,
    failure_message: null,
    livemode: false,
    metadata: {},
    method: 'standard',
    reconciliation_status: 'completed',
    status: 'paid',
    type: 'bank_account',
  };
}

/** Undefined when it has failed already. */
export function failedPayout(payout: Payout, transaction: string): Payout | undefined {
  if (payout.status === 'failed') return undefined;
  return {
    ...payout,
    failure_balance_transaction: transaction,
    failure_code: 'account_closed',
    failure_message: 'The bank account has been closed.',
    status: 'failed',
  };
}
