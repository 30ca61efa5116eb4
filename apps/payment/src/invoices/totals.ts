/**
 * The tax in the lines of an invoice, and their sums. Pure.
 *
 * Prices are gross: the customer pays what the shelf says, and the tax is a part of it. The tax is rounded once for each
 * rate, half a minor unit and more up, as tax offices count it. Then it is shared out over the lines of the rate by the
 * method of the largest remainder. So the lines add up to the rates, the rates to the totals, and no line is below zero.
 */
import { shareOf, shareOut, sum } from './share-out';

/** In basis points: 1900 is 19 %. */
export type Rate = number;

/** As much tax as there is net. No rate is higher. */
export const WHOLE: Rate = 10_000;

export interface TaxedLine {
  sku: string;
  /** Pieces. */
  quantity: number;
  /** Gross, of all pieces together, after discounts. Minor units of the currency, zero or more. */
  gross: number;
  rate: Rate;
}

/** `gross` is `net` and `tax` together, here and below. */
export interface InvoiceLine extends TaxedLine {
  net: number;
  tax: number;
}

export interface TaxOfRate {
  rate: Rate;
  gross: number;
  net: number;
  tax: number;
}

export interface Totals {
  gross: number;
  net: number;
  tax: number;
  /** One for each rate, the highest first. */
  rates: TaxOfRate[];
}

export function totalsOf(lines: readonly TaxedLine[]): { lines: InvoiceLine[]; totals: Totals } {
  const taxes = lines.map(() => 0);
  const rates = ratesOf(lines).map((rate) => {
    const own = lines.flatMap((line, index) => (line.rate === rate ? [{ index, gross: line.gross }] : []));
    const gross = sum(own.map((line) => line.gross));
    const tax = taxIn(gross, rate);
    const parts = shareOut(
      tax,
      own.map((line) => line.gross),
    );
    own.forEach(({ index }, nth) => (taxes[index] = parts[nth]!));
    return { rate, gross, net: gross - tax, tax };
  });
  return {
    lines: lines.map((line, index) => ({ ...line, net: line.gross - taxes[index]!, tax: taxes[index]! })),
    totals: sumOfRates(rates),
  };
}

/** The tax in a gross amount. */
export function taxIn(gross: number, rate: Rate): number {
  return shareOf(gross, rate, WHOLE + rate);
}

export function sumOfRates(rates: readonly TaxOfRate[]): Totals {
  return {
    gross: sum(rates.map(({ gross }) => gross)),
    net: sum(rates.map(({ net }) => net)),
    tax: sum(rates.map(({ tax }) => tax)),
    rates: [...rates].sort((one, other) => other.rate - one.rate),
  };
}

/**
 * Why an invoice that somebody else has reckoned does not add up; undefined when it does. An old system may have rounded each
 * line by itself, so the tax of a rate may be off by one minor unit for each of its lines.
 */
export function faultInTotals(lines: readonly InvoiceLine[], totals: Totals): string | undefined {
  for (const [index, { gross, net, tax }] of lines.entries()) {
    if (net + tax !== gross) return `line ${index + 1}: net and tax are not the gross amount`;
  }
  const rates = ratesOf(lines);
  const told = totals.rates.map(({ rate }) => rate);
  if (new Set(told).size !== told.length) return 'a rate is there more than once';
  if (rates.length !== told.length || !rates.every((rate) => told.includes(rate))) {
    return 'the rates of the lines and those of the totals are not the same';
  }
  return totals.rates.map((rate) => faultInRate(lines, rate)).find(Boolean) ?? faultInSums(totals);
}

function faultInRate(lines: readonly InvoiceLine[], { rate, gross, net, tax }: TaxOfRate): string | undefined {
  const own = lines.filter((line) => line.rate === rate);
  const isSum =
    sum(own.map((line) => line.gross)) === gross &&
    sum(own.map((line) => line.net)) === net &&
    sum(own.map((line) => line.tax)) === tax;
  if (!isSum) return `the lines with the rate ${rate} do not add up to its amounts`;
  if (Math.abs(tax - taxIn(gross, rate)) > own.length) return `the tax is not that of the rate ${rate}`;
  return undefined;
}

function faultInSums(totals: Totals): string | undefined {
  const { gross, net, tax } = sumOfRates(totals.rates);
  const isSum = gross === totals.gross && net === totals.net && tax === totals.tax;
  return isSum ? undefined : 'the rates do not add up to the totals';
}

const ratesOf = (lines: readonly TaxedLine[]): Rate[] =>
  [...new Set(lines.map(({ rate }) => rate))].sort((one, other) => other - one);
