/** A seeded stream of orders: good, declined, out of stock, and posted twice. */

export interface WorkloadOptions {
  orders: number;
  seed: number;
  skus?: number;
  /** Shares of all orders, 0 to 1. */
  declined?: number;
  outOfStock?: number;
  repeated?: number;
}

export interface Posting {
  key: string;
  body: { customerId: string; items: { sku: string; quantity: number }[]; payment: { source: string } };
  /** It was posted before: same key, same body. */
  repeat: boolean;
}

export interface Workload {
  products: { sku: string; name: string; price: number; onHand: number }[];
  postings: Posting[];
}

const PLENTY = 1_000_000;
const SOLD_OUT_SHARE = 0.01;
const MAX_LINES = 3;
const MAX_PIECES = 3;
/** A repeat comes 1 to this many postings after the first, so some race it. */
const MAX_REPEAT_DISTANCE = 200;

export function createWorkload(options: WorkloadOptions): Workload {
  const { orders, seed, skus = 1_000, declined = 0.05, outOfStock = 0.02, repeated = 0.03 } = options;
  const random = mulberry32(seed);
  const int = (below: number): number => Math.floor(random() * below);
  const soldOut = Math.max(1, Math.round(skus * SOLD_OUT_SHARE));
  const products = Array.from({ length: skus }, (_, index) => ({
    sku: `sku-${index}`,
    name: `Product ${index}`,
    price: 100 + int(10_000),
    onHand: index < soldOut ? 0 : PLENTY,
  }));
  const pickLines = (): { sku: string; quantity: number }[] => {
    const count = Math.min(1 + int(MAX_LINES), skus - soldOut);
    const picked = new Set<number>();
    while (picked.size < count) picked.add(soldOut + int(skus - soldOut));
    return [...picked].map((index) => ({ sku: `sku-${index}`, quantity: 1 + int(MAX_PIECES) }));
  };
  const firsts = Array.from({ length: orders }, (_, index): Posting => {
    const items = pickLines();
    const fate = random();
    if (fate < outOfStock) items[0] = { sku: `sku-${int(soldOut)}`, quantity: 1 };
    const source = fate >= outOfStock && fate < outOfStock + declined ? 'tok_declined' : 'tok_ok';
    const body = { customerId: `customer-${index % 100}`, items, payment: { source } };
    return { key: `bench-${seed}-${index}`, body, repeat: false };
  });
  const slots = firsts.map((posting, index) => ({ at: index, posting }));
  for (const [index, posting] of firsts.entries()) {
    if (random() < repeated)
      slots.push({ at: index + 0.5 + int(MAX_REPEAT_DISTANCE), posting: { ...posting, repeat: true } });
  }
  return { products, postings: slots.sort((a, b) => a.at - b.at).map(({ posting }) => posting) };
}

/** A small seeded generator of numbers in [0, 1). */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
