/** What a run is about, made from its seed: who buys what, how many replicas there are, and how bad the times get. */
import type { SeededRandom } from '@shop/testing';

export interface Purchase {
  name: string;
  items: { sku: string; quantity: number }[];
  source: string;
  cancels: boolean;
  /** Chooses the order's id itself (PUT). */
  namesIt: boolean;
  /** Asks again before it is answered. */
  impatient: boolean;
}

/** None of its messages arrives in the bad times, and time passes: what is on its way comes late. */
export type Away = 'inventory' | 'payment';

export interface Script {
  /** No two runs share one, so they can share databases. */
  tenant: string;
  stock: Record<string, number>;
  purchases: Purchase[];
  replicas: { order: number; inventory: number; payment: number };
  away?: Away;
  /** How likely is what, against each other; nought does not happen. */
  weights: Weights;
  /** The bad times end after so many choices. */
  choices: number;
}

export interface Weights {
  lose: number;
  repeat: number;
  rebatch: number;
  kill: number;
  time: number;
  /** In a hundred transactions that begin. */
  brokenTransactions: number;
  /** In a hundred that go on or commit. */
  pausedTransactions: number;
  /** In a hundred calls. */
  providerFaults: number;
  /** The only one there is; any if it is not given. */
  providerFault?: string;
  /** Against ten for the newest batch that waits. */
  olderBatches: number;
  /** Against ten for any other gate: a provider that takes its time meets passing leases. */
  providerSpeed: number;
}

export const PRICE = 100;

export function writeScript(random: SeededRandom, tenant: string): Script {
  const skus = ['cup', 'pot'].slice(0, 1 + random.int(2));
  const count = random.pick([1, 1, 1, 2, 2, 3]);
  const away = random.int(8) === 0 ? random.pick(['inventory', 'payment'] as const) : undefined;
  return {
    tenant,
    stock: Object.fromEntries(skus.map((sku) => [sku, 1 + random.int(4)])),
    purchases: Array.from({ length: count }, (_, index) => ({
      name: `client ${index + 1}`,
      items: skus.slice(0, 1 + random.int(skus.length)).map((sku) => ({ sku, quantity: 1 + random.int(2) })),
      source: random.int(5) === 0 ? 'tok_declined' : 'tok_ok',
      cancels: random.int(2) === 0,
      namesIt: random.int(4) === 0,
      impatient: random.int(3) === 0,
    })),
    replicas: { order: 1 + random.int(2), inventory: 1 + random.int(2), payment: 1 + random.int(2) },
    away,
    weights: {
      // Most runs know a few kinds of trouble only: all of them at once would hide one behind the other.
      lose: random.pick([0, 0, 1, 3]),
      repeat: random.pick([0, 1, 3, 6]),
      rebatch: random.pick([0, 1, 2]),
      kill: random.pick([0, 0, 0.5, 1, 2]),
      time: away ? 4 : random.pick([0.3, 1, 3]),
      brokenTransactions: random.pick([0, 0, 10, 25]),
      pausedTransactions: random.pick([0, 15, 40]),
      providerFaults: random.pick([0, 30, 70]),
      providerFault: random.pick([undefined, undefined, 'refuses the request', 'is too slow and does it later']),
      olderBatches: random.pick([1, 10]),
      providerSpeed: random.pick([0.3, 1, 10]),
    },
    choices: (away ? 60 : 25) + random.int(60),
  };
}
