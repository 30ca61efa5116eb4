/** Tests of the test, as bite.int.spec.ts, for what is around the orders: reservations of clients, promotions, carts, stock. */
import { seededRandom } from '@shop/testing';
import { without } from './gaps';
import type { Script, Weights } from './script';
import { writeScript } from './script-shop';
import { useDatabases } from './seeds';
import type { StockSettings } from './shop';
import { Simulation } from './simulation';
import type { Gaps } from './replicas';

const TIMEOUT_MS = 300_000;
/** So many of those that have what the rule is about. */
const SEEDS = 150;
/** Transactions meet in their middle. */
const MEETING: Partial<Weights> = { pausedTransactions: 60, brokenTransactions: 0, kill: 0 };

const LOCKED_RESERVATIONS = 'reservation.select-for-update';
const LOCKED_STOCK = 'stock.select-all-for-update';

const databases = useDatabases();

type Has = (script: Script) => boolean;

const raced: Has = ({ purchases, replicas }) => replicas.order > 1 && purchases.some(({ isOperator }) => isOperator);
const scarce: Has = ({ shop, replicas }) =>
  replicas.order > 1 && (shop?.promotions ?? []).some(({ maxUses }) => maxUses === 1);
const lent: Has = ({ purchases }) => purchases.some(({ borrows }) => borrows);
const short: Has = ({ purchases }) => purchases.some(({ reserves }) => reserves && reserves.seconds < 10);
const givenBack: Has = ({ purchases }) => purchases.some(({ reserves }) => reserves?.twist === 'gives it back');
const hasStock =
  (has: (settings: StockSettings) => unknown): Has =>
  ({ shop }) =>
    Object.values(shop?.settings ?? {}).some(has);
const held: Has = ({ purchases, replicas }) => replicas.inventory > 1 && purchases.some(({ reserves }) => reserves);

function seedsWith(has: Has): number[] {
  const seeds: number[] = [];
  for (let seed = 1; seeds.length < SEEDS; seed++) {
    if (has(writeScript(seededRandom(seed), 'acme'))) seeds.push(seed);
  }
  return seeds;
}

describe('R11 some seed fails without', () => {
  it.each<[string, string, Has, Gaps]>([
    ['R16 the lock of a cart', 'a cart is ordered once', raced, without('cart.lock', 'for update of c')],
    [
      'R16 the lock of a promotion',
      'promises have limits',
      scarce,
      without('promotion.select-for-update', 'for update of p'),
    ],
    [
      'R2 the return of the uses of a cancelled order',
      'uses follow orders',
      scarce,
      without('promotion-use.move', `and u.status <> m.status`, 'and false'),
    ],
    [
      'the end of a reservation that an order has taken',
      'a reservation has one taker',
      lent,
      without(LOCKED_RESERVATIONS, 'status', `case status when 'taken' then 'open' else status end as status`),
    ],
    [
      'the end of a reservation that is given back while an order takes it',
      'a step is taken once',
      givenBack,
      without(LOCKED_RESERVATIONS, 'status', `case status when 'taken' then 'open' else status end as status`),
    ],
    [
      'the end of a reservation whose time is over',
      'a step is taken once',
      short,
      without(LOCKED_RESERVATIONS, 'status', `case status when 'expired' then 'open' else status end as status`),
    ],
    ['R16 the lock of the stock', 'movements explain the stock', held, without(LOCKED_STOCK, 'for update')],
    [
      'the limit of backorders',
      'promises have limits',
      hasStock(({ backorderLimit }) => backorderLimit > 0),
      without(LOCKED_STOCK, 'backorder_limit', 'backorder_limit + 100 as backorder_limit'),
    ],
    [
      'the limit of a customer',
      'limits of customers hold',
      hasStock(({ customerLimit }) => customerLimit),
      without(LOCKED_STOCK, 'customer_limit', 'customer_limit * 100 as customer_limit'),
    ],
  ])(
    '%s, because of "%s"',
    async (...[, rule, has, gaps]) => {
      const failure = await new Simulation(databases(), gaps, MEETING).firstFailure(seedsWith(has), rule);
      if (!failure) throw new Error(`of ${SEEDS} seeds none breaks the rule "${rule}"`);
      // Without the gap the same seed breaks no rule.
      expect((await new Simulation(databases(), {}, MEETING).run(failure.seed)).faults).toEqual([]);
    },
    TIMEOUT_MS,
  );
});
