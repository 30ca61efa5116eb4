/** Which credit notes the refunds of an order still need. Pure. */
import { creditOf } from './credit';
import type { Invoice } from './invoice';
import { sum } from './share-out';
import type { Totals } from './totals';

/** A refund that the customer has. */
export interface GivenBack {
  id: string;
  amount: number;
}

export interface Credit {
  refundId: string;
  totals: Totals;
}

/**
 * One for each refund that has none, in their order. Together they never take off more than was given back, and never
 * more than the invoice. So a refund that came back from the bank after its credit note, and was made again, is not
 * taken off twice: the credit note of the first one is that of the second one.
 */
export function creditsFor(
  invoice: Pick<Invoice, 'totals'>,
  notes: readonly Pick<Invoice, 'refundId' | 'totals'>[],
  refunds: readonly GivenBack[],
): Credit[] {
  const noted = new Set(notes.map(({ refundId }) => refundId));
  const all = notes.map(({ totals }) => totals);
  const given = sum(refunds.map(({ amount }) => amount));
  return refunds.flatMap(({ id, amount }) => {
    if (noted.has(id)) return [];
    const open = given - sum(all.map(({ gross }) => gross));
    const earlier = all.map(({ rates }) => rates);
    const totals = creditOf(invoice.totals.rates, earlier, Math.min(amount, open));
    if (!totals) return [];
    all.push(totals);
    return [{ refundId: id, totals }];
  });
}
