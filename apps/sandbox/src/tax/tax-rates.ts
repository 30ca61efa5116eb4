/** The rates of the tax service, by the beginning of the SKU. Pure. */

/** In basis points: 1900 is 19 %. */
const RATES: readonly (readonly [prefix: string, rate: number])[] = [
  ['book-', 700],
  ['gift-', 0],
];
const DEFAULT_RATE = 1_900;
const WHOLE = 10_000;

export function rateOf(sku: string): number {
  return RATES.find(([prefix]) => sku.startsWith(prefix))?.[1] ?? DEFAULT_RATE;
}

/** The tax in a gross amount, where half a unit and more is rounded up. */
export function taxIn(gross: number, rate: number): number {
  const of = BigInt(WHOLE + rate);
  return Number((2n * BigInt(gross) * BigInt(rate) + of) / (2n * of));
}
