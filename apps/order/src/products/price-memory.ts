/**
 * The prices as this replica last read them, so that an order need not read what hardly ever changes.
 *
 * They may be old, because anybody may change a price through any replica. So they are a guess: whoever orders at them
 * proves them in the ordering transaction (`provePrices`), and reads them where they are not true any more.
 */
import { Recent } from '@shop/resilience';
import { type Money, priceKey, type ProductKey } from './product';

/** Some 200 bytes each. */
const MAX_PRICES = 20_000;

export class PriceMemory {
  /** From the one that was longest not asked for to the newest. */
  private readonly prices: Recent<string, Money>;

  constructor(max = MAX_PRICES) {
    this.prices = new Recent(max);
  }

  /** All of these prices by `priceKey`, or nothing: if one has to be read, the others are read along with it. */
  recall(wanted: readonly ProductKey[]): Map<string, Money> | undefined {
    const recalled = new Map<string, Money>();
    for (const { tenant, sku } of wanted) {
      const key = priceKey(tenant, sku);
      const price = this.prices.get(key);
      if (!price) return undefined;
      recalled.set(key, price);
    }
    for (const [key, price] of recalled) this.prices.put(key, price);
    return recalled;
  }

  /** Takes what was read in place of what was known of these. A price that was not found is known no longer. */
  replace(read: readonly ProductKey[], found: ReadonlyMap<string, Money>): void {
    for (const { tenant, sku } of read) {
      const key = priceKey(tenant, sku);
      const price = found.get(key);
      if (price) this.prices.put(key, price);
      else this.prices.delete(key);
    }
  }
}
