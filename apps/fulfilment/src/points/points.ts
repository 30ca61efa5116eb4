/** How many points an order earns. Pure. */

/**
 * One point for each whole unit of the currency that was paid: 12.99 EUR are 12 points, 1,299 JPY are 1,299.
 * @param amount minor units of the currency
 * @param currency ISO 4217, in capital letters
 */
export function pointsFor(amount: number, currency: string): number {
  return Math.floor(amount / 10 ** decimalsOf(currency));
}

const decimals = new Map<string, number>();

function decimalsOf(currency: string): number {
  const known = decimals.get(currency);
  if (known !== undefined) return known;
  const { maximumFractionDigits = 2 } = new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions();
  decimals.set(currency, maximumFractionDigits);
  return maximumFractionDigits;
}
