/**
 * Makes the script of a run from its seed. Half of the seeds have only plain orders, and the others have a shop around them.
 * In some of both the orders go on to their customers, and in some operators hold sagas and steps.
 */
import type { SeededRandom } from '@shop/testing';
import { withAfter } from './script-after';
import { withHolds } from './script-holds';
import { type Purchase, type Script, writePlainScript } from './script';
import { BUNDLE, type Line, type Reserving, type ScriptedPromotion, type Shop, type StockSettings } from './shop';

/** Three days, or less than a charge may take: then the order has to turn back. */
const ORDER_RESERVATION_SECONDS = [259_200, 259_200, 259_200, 15];

export function writeScript(random: SeededRandom, tenant: string): Script {
  const script = writeOrders(random, tenant);
  return withHolds(random.seed, random.int(4) === 0 ? withAfter(random, script) : script);
}

function writeOrders(random: SeededRandom, tenant: string): Script {
  const script = writePlainScript(random, tenant);
  if (random.int(2) === 0) return script;
  // Few things at a time, because all at once would hide each other.
  const theme = random.pick(['reservations', 'reservations', 'carts', 'carts', 'both']);
  const stocked = theme === 'carts' ? { ...script, shop: plainShop() } : withStock(random, script);
  const carted = theme === 'reservations' ? stocked : withCarts(random, stocked);
  return theme === 'carts' ? carted : withReservations(random, carted);
}

const plainShop = (): Shop => ({
  settings: {},
  arrivals: [],
  promotions: [],
  carts: [],
  orderReservationSeconds: ORDER_RESERVATION_SECONDS[0]!,
});

function withStock(random: SeededRandom, script: Script): Script & { shop: Shop } {
  const settings = Object.fromEntries(
    Object.entries(script.stock).map(([sku, pieces]) => [sku, settingsOf(random, pieces)]),
  );
  const bundle = random.int(4) === 0 ? bundleOf(random, Object.keys(settings)) : undefined;
  const customers = random.int(3) === 0 ? 1 : script.purchases.length;
  const purchases = script.purchases.map((purchase, index) => ({
    ...purchase,
    customer: `customer ${index % customers}`,
    items: bundle && index % 2 === 0 ? [{ sku: BUNDLE, quantity: 1 }, purchase.items[0]!] : purchase.items,
  }));
  const arrivals = Array.from({ length: random.int(3) }, (_, index) => {
    const sku = random.pick(Object.keys(settings));
    const { places } = settings[sku]!;
    const place = places && random.pick(Object.keys(places));
    return { name: `arrival ${index + 1}`, sku, quantity: 1 + random.int(2), place };
  });
  const orderReservationSeconds = random.pick(ORDER_RESERVATION_SECONDS);
  return { ...script, purchases, shop: { ...plainShop(), settings, bundle, arrivals, orderReservationSeconds } };
}

function settingsOf(random: SeededRandom, pieces: number): StockSettings {
  const east = random.int(pieces + 1);
  return {
    backorderLimit: random.int(3) === 0 ? 1 + random.int(3) : 0,
    customerLimit: random.int(4) === 0 ? 1 + random.int(3) : undefined,
    places: random.int(3) === 0 ? { east, west: pieces - east } : undefined,
  };
}

const bundleOf = (random: SeededRandom, skus: string[]): Line[] =>
  skus.map((sku) => ({ sku, quantity: 1 + random.int(2) }));

/** Fewer uses than customers, and sometimes two who order one cart. */
function withCarts(random: SeededRandom, script: Script & { shop: Shop }): Script & { shop: Shop } {
  const purchases = twoAtLeast(script.purchases);
  const promotions: ScriptedPromotion[] = ['TEN', 'FIVE'].slice(0, 1 + random.int(2)).map((code, index) => ({
    code,
    percent: index === 0 ? 10 : 5,
    maxUses: 1 + random.int(2),
    maxUsesPerCustomer: random.int(2) === 0 ? 1 : undefined,
  }));
  const oneCustomer = random.int(3) === 0;
  const carts = purchases.map(({ name, customer, items }, index) => ({
    id: `cart-${index + 1}`,
    placedBy: name,
    customer: oneCustomer ? purchases[0]!.customer : customer,
    items,
    codes: promotions.filter(() => random.int(4) > 0).map(({ code }) => code),
  }));
  const buyers = purchases.map((purchase, index) => ({
    ...purchase,
    customer: carts[index]!.customer,
    cart: random.int(5) > 0 ? carts[index]!.id : undefined,
  }));
  // The other one is an operator, because a customer sees only its own carts.
  const rival = { ...buyers[0]!, name: 'a rival', isOperator: true, cart: carts[0]!.id, cancels: false };
  const all = random.int(2) === 0 ? [...buyers, rival] : buyers;
  return { ...script, purchases: all, shop: { ...script.shop, promotions, carts } };
}

function withReservations(random: SeededRandom, script: Script & { shop: Shop }): Script {
  const purchases = script.purchases.map((purchase) => ({
    ...purchase,
    reserves: !purchase.isOperator && random.int(4) > 0 ? reservingOf(random) : undefined,
  }));
  const lender = purchases.find(({ reserves }) => reserves && !reserves.twist);
  if (!lender || random.int(2) === 0) return { ...script, purchases };
  const borrower = { ...lender, name: 'a borrower', reserves: undefined, cart: undefined, borrows: lender.name };
  return { ...script, purchases: [...purchases, borrower] };
}

const reservingOf = (random: SeededRandom): Reserving => ({
  seconds: random.pick([5, 30, 900]),
  namesIt: random.int(3) === 0,
  twist: random.pick([undefined, undefined, 'gives it back', 'orders other pieces'] as const),
});

function twoAtLeast(purchases: Purchase[]): Purchase[] {
  if (purchases.length > 1) return purchases;
  return [...purchases, { ...purchases[0]!, name: 'client 2', customer: 'client 2' }];
}
