/** Payouts: the provider sends what is in the merchant's balance to its bank. */
import { Injectable } from '@nestjs/common';
import { newTransaction } from './balance-transaction';
import { Books } from './books';
import { failedPayout, newPayout, type Payout } from './payout';

@Injectable()
export class Payouts {
  constructor(private readonly books: Books) {}

  /** Pays what is there of a currency. Undefined when there is nothing, or less. */
  pay(currency: string): Payout | undefined {
    const open = this.books.transactions
      .all()
      .filter((transaction) => transaction.currency === currency && this.books.payoutOf(transaction.id) === undefined);
    const amount = open.reduce((sum, { net }) => sum + net, 0);
    if (amount <= 0) return undefined;
    const { newId, nowMs } = this.books.world;
    const [id, transactionId, at] = [newId('po'), newId('txn'), nowMs()];
    const movement = { type: 'payout', source: id, amount: -amount, currency } as const;
    const transaction = newTransaction({ ...movement, id: transactionId, nowMs: at });
    const payout = newPayout({ id, amount, currency, transaction: transaction.id, nowMs: at });
    this.books.record({
      kept: [payout, transaction],
      happened: [['payout.paid', payout]],
      paysOut: { payout: id, transactions: [...open.map((each) => each.id), transaction.id] },
    });
    return payout;
  }

  /** The bank sends it back, and the next payout pays it again. Undefined when it has failed already. */
  fail(id: string): Payout | undefined {
    const payout = this.books.payouts.get(id, 'payout');
    const { newId, nowMs } = this.books.world;
    const transactionId = newId('txn');
    const failed = failedPayout(payout, transactionId);
    if (!failed) return undefined;
    const { amount, currency } = payout;
    const movement = { type: 'payout_failure', source: id, amount, currency } as const;
    const transaction = newTransaction({ ...movement, id: transactionId, nowMs: nowMs() });
    this.books.record({ kept: [failed, transaction], happened: [['payout.failed', failed]] });
    return failed;
  }
}
