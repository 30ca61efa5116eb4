/** What comes after the orders of some runs: mails, points and parcels, and how bad the times of those who bring them are. */
import type { SeededRandom } from '@shop/testing';
import type { Progress } from './progress';

/** Clients where nothing else is around them: the way of each order is long. */
const MOST_ALONE = 2;
/** So long that parcels fall into the bad times. */
const LEAST_CHOICES = 200;

/** Of each piece, so that few orders find none. */
const MORE = 4;

/** Weights with which an order is soon confirmed. */
const QUICK = { brokenTransactions: 0, providerFaults: 0, providerSpeed: 10, olderBatches: 10 };

export interface After {
  /** Those who have left an address. The others fetch their parcels, and get no mail. */
  addressed: string[];
  isAtMostOnce: boolean;
  /** The carrier brings a parcel back that is on its way already. */
  recallsOnTheWay: boolean;
  weights: AfterWeights;
}

export interface AfterWeights {
  /** Per hundred calls of the carrier, the mail server and the order service. */
  faults: number;
  /** The only fault that happens, and only to the carrier and the mail server; any fault of anybody if it is not given. */
  fault?: string;
  /** For their gates; any other gate has 10. */
  speed: number;
  /** For each parcel that may go on, and each word of it. */
  parcels: number;
}

/** What is used of a purchase. */
interface Buying {
  customer: string;
  source: string;
  cancels: boolean;
  impatient: boolean;
}

/** When somebody changes his mind: mostly at a moment at which a parcel is there to be stopped, or too far for that. */
const MOMENTS: (Progress | undefined)[] = [
  undefined,
  'confirmed',
  'confirmed',
  'in the handing over',
  'in the handing over',
  'on its way',
  'on its way',
  'delivered',
];

interface Plan<P extends Buying> {
  purchases: P[];
  stock: Record<string, number>;
  shop?: object;
  weights: object;
  choices: number;
}

export function withAfter<S extends Plan<P>, P extends Buying>(random: SeededRandom, script: S) {
  const after: After = {
    addressed: script.purchases.filter(() => random.int(4) > 0).map(({ customer }) => customer),
    isAtMostOnce: random.int(3) === 0,
    recallsOnTheWay: random.int(2) === 0,
    weights: {
      faults: random.pick([0, 50, 80]),
      fault: random.pick([undefined, undefined, undefined, 'is too slow and does it later']),
      speed: random.pick([0.5, 2, 10]),
      parcels: random.pick([0.3, 2, 5]),
    },
  };
  // Most orders get so far that something follows them.
  const buying = script.shop ? script.purchases : script.purchases.slice(0, MOST_ALONE);
  const purchases = buying.map((purchase) => {
    const cancels = random.int(3) > 0;
    const source = random.int(8) > 0 ? 'tok_ok' : purchase.source;
    return { ...purchase, source, cancels, impatient: random.int(8) === 0, cancelsWhen: random.pick(MOMENTS) };
  });
  const stock = Object.fromEntries(Object.entries(script.stock).map(([sku, pieces]) => [sku, pieces + MORE]));
  // Most of them are soon so far.
  const weights = random.int(3) === 0 ? script.weights : { ...script.weights, ...QUICK };
  const choices = Math.max(script.choices, LEAST_CHOICES) + random.int(LEAST_CHOICES / 2);
  return { ...script, purchases, after, weights, choices, stock: script.shop ? script.stock : stock };
}
