/** Shares a whole number out in proportion to weights, by the method of the largest remainder. Pure. */

/**
 * The parts add up to `whole`, and none is more than one above or below its exact share. `whole` is at most the sum of the
 * weights, or the weights are all zero. Equal remainders are decided by the order.
 */
export function shareOut(whole: number, weights: readonly number[]): number[] {
  const of = sum(weights);
  if (of === 0) return weights.map(() => 0);
  const exact = weights.map((weight) => BigInt(whole) * BigInt(weight));
  const parts = exact.map((share) => Number(share / BigInt(of)));
  const missing = whole - sum(parts);
  const byRemainder = exact
    .map((share, index) => ({ index, remainder: share % BigInt(of) }))
    .sort((one, other) => (one.remainder === other.remainder ? 0 : one.remainder > other.remainder ? -1 : 1));
  for (const { index } of byRemainder.slice(0, missing)) parts[index]! += 1;
  return parts;
}

/** `amount × part / of`, where half a unit and more is rounded up. */
export function shareOf(amount: number, part: number, of: number): number {
  const doubled = 2n * BigInt(amount) * BigInt(part) + BigInt(of);
  return Number(doubled / (2n * BigInt(of)));
}

export function sum(amounts: readonly number[]): number {
  return amounts.reduce((total, amount) => total + amount, 0);
}
