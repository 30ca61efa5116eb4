/** What a run is about: who buys what, how many replicas there are, and how bad the times get. */
import type { SeededRandom } from '@shop/testing';
import type { Progress } from './progress';
import type { After, AfterWeights } from './script-after';
import type { Holds } from './script-holds';
import type { Service } from './service';
import type { Line, Reserving, Shop } from './shop';

export interface Purchase {
  /** Of the client. It is its principal, too. */
  name: string;
  customer: string;
  items: Line[];
  source: string;
  cancels: boolean;
  /** Cancels when its order is so far, or later; without it, when somebody has paid. */
  cancelsWhen?: Progress;
  /** Chooses the order's id itself (PUT). */
  namesIt: boolean;
  /** Asks again before it is answered. */
  impatient: boolean;
  /** Orders this cart instead of naming the items. */
  cart?: string;
  isOperator?: boolean;
  /** Reserves before it orders. */
  reserves?: Reserving;
  /** Orders with the reservation of this other client. */
  borrows?: string;
}

/** None of its messages arrives in the bad times, and time passes, so the messages come late. */
export type Away = Exclude<Service, 'order'>;

export interface Script {
  /** Each run has its own tenant, so runs can share databases. */
  tenant: string;
  stock: Record<string, number>;
  purchases: Purchase[];
  replicas: Record<Service, number>;
  away?: Away;
  shop?: Shop;
  /** Without it the fulfilment service hears of nothing, and only stops deliveries that were never begun. */
  after?: After;
  /** Without it nobody holds anything. */
  holds?: Holds;
  /** How likely each event is, relative to the others; an event with 0 never happens. */
  weights: Weights;
  /** The bad times end after so many choices. */
  choices: number;
}

export interface Weights {
  lose: number;
  repeat: number;
  rebatch: number;
  kill: number;
  /** A batch on the short way is lost with the process that it was for; its redirection has 10. */
  loseWithReceiver: number;
  time: number;
  /** Per hundred transactions that begin. */
  brokenTransactions: number;
  /** Per hundred transactions that go on or commit. */
  pausedTransactions: number;
  /** Per hundred calls. */
  providerFaults: number;
  /** The only fault that happens; any fault if it is not given. */
  providerFault?: string;
  /** For each customer or bank that may decide, and for each webhook. */
  verdicts: number;
  /** For any batch but the newest, which has 10. */
  olderBatches: number;
  /** For the provider's gates; any other gate has 10. With a slow provider, leases end during calls. */
  providerSpeed: number;
}

/** What a test wants instead of what the seeds decide. */
export type Weather = Partial<Weights> & { after?: Partial<AfterWeights> };

export const PRICE = 100;

/** The customer has to approve the charge on a page, or a bank takes its time, or first the one and then the other. */
const SLOW_SOURCES = [
  'tok_3ds_approves',
  'tok_3ds_says_no',
  'tok_3ds_walks_away',
  'tok_3ds_bank_lands',
  'tok_3ds_bank_fails',
  'tok_processing_lands',
  'tok_processing_fails',
];

export function writePlainScript(random: SeededRandom, tenant: string): Script {
  const skus = ['cup', 'pot'].slice(0, 1 + random.int(2));
  const count = random.pick([1, 1, 1, 2, 2, 3]);
  const away = random.int(8) === 0 ? random.pick(['inventory', 'payment', 'fulfilment'] as const) : undefined;
  return {
    tenant,
    stock: Object.fromEntries(skus.map((sku) => [sku, 1 + random.int(4)])),
    purchases: Array.from({ length: count }, (_, index) => ({
      name: `client ${index + 1}`,
      customer: `client ${index + 1}`,
      items: skus.slice(0, 1 + random.int(skus.length)).map((sku) => ({ sku, quantity: 1 + random.int(2) })),
      source: random.int(5) === 0 ? 'tok_declined' : random.int(3) === 0 ? random.pick(SLOW_SOURCES) : 'tok_ok',
      cancels: random.int(2) === 0,
      namesIt: random.int(4) === 0,
      impatient: random.int(3) === 0,
    })),
    replicas: {
      order: 1 + random.int(2),
      inventory: 1 + random.int(2),
      payment: 1 + random.int(2),
      fulfilment: 1 + random.int(2),
    },
    away,
    weights: {
      // Most runs have only a few kinds of faults, because all of them at once would hide each other.
      lose: random.pick([0, 0, 1, 3]),
      repeat: random.pick([0, 1, 3, 6]),
      rebatch: random.pick([0, 1, 2]),
      kill: random.pick([0, 0, 0.5, 1, 2]),
      loseWithReceiver: random.pick([0, 10]),
      time: away ? 4 : random.pick([0.3, 1, 3]),
      brokenTransactions: random.pick([0, 0, 10, 25]),
      pausedTransactions: random.pick([0, 15, 40]),
      providerFaults: random.pick([0, 30, 70]),
      providerFault: random.pick([undefined, undefined, 'refuses the request', 'is too slow and does it later']),
      verdicts: random.pick([0.3, 3]),
      olderBatches: random.pick([1, 10]),
      providerSpeed: random.pick([0.3, 1, 10]),
    },
    // Half of them are so long that orders are confirmed before somebody changes his mind.
    choices: (away ? 60 : 30) + random.int(60) + (random.int(2) === 0 ? 150 : 0),
  };
}
