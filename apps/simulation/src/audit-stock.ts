/** The rules about pieces: where they are, who holds them, and how many may be promised. */
import type { OrderRecord, Records } from './records';
import type { ReservationRecord, ShopRecords } from './records-shop';
import type { Script } from './script';
import { BUNDLE, type Line } from './shop';

/** @param parked ids of the orders that wait for a person */
export function stockIsConserved(script: Script, records: Records, parked: ReadonlySet<string>): string[] {
  const { stock, orders, shop } = records;
  return stock
    .filter(({ components }) => components === null)
    .flatMap(({ sku, on_hand, reserved, awaited }) => {
      const moved = sum(shop.movements.filter((movement) => movement.sku === sku).map(({ delta }) => delta));
      const held = sum(shop.reservations.filter(isOpen).flatMap((one) => piecesOf(one, sku)));
      const queued = sum(shop.backorders.filter((one) => one.sku === sku).map(({ quantity }) => quantity));
      const faults: string[] = [];
      if (reserved !== held + queued)
        faults.push(`nothing stays reserved: ${reserved} of ${sku}, ${held} held and ${queued} awaited`);
      if (awaited !== queued) faults.push(`the queue is what is awaited: ${awaited} of ${sku}, ${queued} in the queue`);
      if (on_hand !== moved) faults.push(`movements explain the stock: ${on_hand} of ${sku}, ${moved} by movements`);
      const came = script.stock[sku]! + arrivedOf(script, sku);
      const sold =
        soldTo(orders, sku, script) - sum(shop.backorders.filter(isOfSold(shop, sku)).map(({ quantity }) => quantity));
      if (parked.size === 0 && on_hand + sold !== came)
        faults.push(`stock is conserved: ${on_hand} of ${sku} on hand and ${sold} sold, of ${came}`);
      return faults;
    });
}

/** By now all work has ended: only a saga that is parked may still hold pieces. */
export function nothingIsHeldForNobody({ shop: { reservations } }: Records, parked: ReadonlySet<string>): string[] {
  if (parked.size > 0) return [];
  return reservations.filter(isOpen).map(({ id }) => `nothing stays reserved: ${id} is still open`);
}

export function placesAddUp({ stock, shop: { places, movements, reservations } }: Records): string[] {
  return places.flatMap(({ sku, place, on_hand, reserved }) => {
    const here = <T extends { sku: string; place?: string | null }>(one: T) =>
      one.sku === sku && (one.place ?? 'main') === place;
    const moved = sum(movements.filter(here).map(({ delta }) => delta));
    const held = sum(
      reservations.filter(isOpen).flatMap(({ pieces }) => (pieces ?? []).filter(here).map(({ quantity }) => quantity)),
    );
    const faults: string[] = [];
    if (on_hand !== moved)
      faults.push(`movements explain each place: ${on_hand} of ${sku} at ${place}, ${moved} by movements`);
    if (reserved !== held)
      faults.push(`reservations explain each place: ${reserved} of ${sku} at ${place}, ${held} held`);
    const row = stock.find((one) => one.sku === sku)!;
    const own = places.filter((one) => one.sku === sku);
    const [onHand, all] = [sum(own.map((one) => one.on_hand)), sum(own.map((one) => one.reserved))];
    if (own[0]!.place === place && (onHand !== row.on_hand || all !== row.reserved - row.awaited))
      faults.push(`places add up: ${onHand} and ${all} reserved of ${sku}, of ${row.on_hand} and ${row.reserved}`);
    return faults;
  });
}

/** What one customer has reserved and bought of a SKU, as the limit counts it. */
export function limitsHold({ stock, shop: { reservations, holdings } }: Records): string[] {
  return stock
    .filter(({ customer_limit }) => customer_limit !== null)
    .flatMap(({ sku, customer_limit }) => {
      const customers = [...new Set(reservations.flatMap(({ customer }) => (customer ? [customer] : [])))];
      return customers.flatMap((customer, index) => {
        const own = reservations.filter((one) => one.customer === customer && isKept(one));
        const has = sum(own.flatMap(({ counted }) => quantitiesOf(counted ?? [], sku)));
        const booked = holdings.find((one) => one.sku === sku && one.customer === customer)?.quantity ?? 0;
        if (has > customer_limit!)
          return [`limits of customers hold: customer ${index} has ${has} of ${sku}, of ${customer_limit}`];
        return has === booked ? [] : [`holdings are counted: customer ${index} has ${has} of ${sku}, booked ${booked}`];
      });
    });
}

/** They are noted at the moment in which they are true. */
export const nothingIsOverdone = ({ shop: { overdone } }: Records): string[] =>
  overdone.map((what) => `promises have limits: ${what}`);

const isOpen = ({ status }: ReservationRecord): boolean => status === 'open';
const isKept = ({ status }: ReservationRecord): boolean => status === 'open' || status === 'confirmed';

const isOfSold =
  ({ reservations }: ShopRecords, sku: string) =>
  (one: { sku: string; reservation_id: string }): boolean =>
    one.sku === sku && reservations.some(({ id, status }) => id === one.reservation_id && status === 'confirmed');

const piecesOf = ({ pieces, lines }: ReservationRecord, sku: string): number[] => quantitiesOf(pieces ?? lines, sku);

const quantitiesOf = (lines: readonly Line[], sku: string): number[] =>
  lines.filter((line) => line.sku === sku).map(({ quantity }) => quantity);

function arrivedOf({ shop }: Script, sku: string): number {
  return sum((shop?.arrivals ?? []).filter((one) => one.sku === sku).map(({ quantity }) => quantity));
}

function soldTo(orders: OrderRecord[], sku: string, { shop }: Script): number {
  const items = orders.filter(({ status }) => status === 'confirmed').flatMap((order) => order.items);
  return sum(
    items
      .flatMap((item) => componentsOf(item, shop?.bundle).filter((line) => line.sku === sku))
      .map(({ quantity }) => quantity),
  );
}

function componentsOf(item: Line, bundle: Line[] = []): Line[] {
  if (item.sku !== BUNDLE) return [item];
  return bundle.map(({ sku, quantity }) => ({ sku, quantity: quantity * item.quantity }));
}

const sum = (numbers: number[]): number => numbers.reduce((total, one) => total + one, 0);
