/**
 * What a refund takes off the rates of an invoice: the sums of its credit note. Pure.
 *
 * The refund is shared out over what is left of each rate. The tax of each part is what is left of the tax, in the same
 * proportion. So the credit notes of an invoice never come to more than the invoice, in no rate and in no sum, and one
 * that takes all that is left takes it to the last minor unit.
 */
import { shareOf, shareOut, sum } from './share-out';
import { sumOfRates, type TaxOfRate, type Totals } from './totals';

/**
 * @param invoice the rates of the invoice
 * @param earlier the rates of its credit notes so far
 * @param refund gross. What is above all that is left is not credited.
 * @returns only the rates that get a part. Undefined when nothing is left, or nothing was refunded.
 */
export function creditOf(
  invoice: readonly TaxOfRate[],
  earlier: readonly (readonly TaxOfRate[])[],
  refund: number,
): Totals | undefined {
  const left = leftOf(invoice, earlier);
  const weights = left.map(({ gross }) => gross);
  const credited = Math.min(refund, sum(weights));
  if (credited <= 0) return undefined;
  const parts = shareOut(credited, weights);
  const rates = left.flatMap((rate, index) => (parts[index]! > 0 ? [partOf(rate, parts[index]!)] : []));
  return sumOfRates(rates);
}

/** What credit notes have not taken off yet. */
export function leftOf(invoice: readonly TaxOfRate[], earlier: readonly (readonly TaxOfRate[])[]): TaxOfRate[] {
  return invoice.map((whole) => {
    const taken = earlier.flat().filter(({ rate }) => rate === whole.rate);
    const gross = whole.gross - sum(taken.map((part) => part.gross));
    const tax = whole.tax - sum(taken.map((part) => part.tax));
    return { rate: whole.rate, gross, net: gross - tax, tax };
  });
}

function partOf(left: TaxOfRate, gross: number): TaxOfRate {
  const tax = shareOf(left.tax, gross, left.gross);
  return { rate: left.rate, gross, net: gross - tax, tax };
}
