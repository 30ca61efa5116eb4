/** Loads the rows that a batch decides on, under locks, and saves what the batch has changed. */
import { rowsOf, type Statement, type Tx } from '@shop/postgres';
import { saveBackorders } from './backorders.repository';
import type { Holding } from './holdings';
import type { OwnedSku } from './pieces';
import type { Reservation } from './reservation';
import { insertReservations, lockReservations, type ReservationId, updateReservations } from './reservation.repository';
import { Shelf } from './shelf';
import type { Stock, StockPlace } from './stock';
import { insertMovements, lockStockFor, updateChangedStock } from './stock.repository';

/** A SKU that may be reserved, and for whom. */
export interface WantedSku extends OwnedSku {
  customer: string | undefined;
}

export interface Wanted {
  /** Those that may be made, and those that may change. */
  reservations: readonly ReservationId[];
  skus: readonly WantedSku[];
}

/** Thrown when the components of a bundle have changed while its row was waited for. The transaction has to run again. */
export class ComponentsChangedError extends Error {
  constructor(sku: string) {
    super(`the components of ${sku} have changed while its row was waited for`);
  }
}

/**
 * Locks the reservations, then the stock of their pieces and of the wanted SKUs, each in key order. This is one round
 * trip. What the rows of stock guard is read behind their locks, in another one, and only where they say that there is
 * any.
 * @throws ComponentsChangedError, for which the caller has to let its transaction run again
 */
export async function loadShelf(tx: Tx, { reservations: keys, skus }: Wanted): Promise<Shelf> {
  const [reservations, stock] = await Promise.all([lockReservations(tx, keys), lockStockFor(tx, skus, keys)]);
  requireComponents(stock, skus);
  const [places, holdings] = await Promise.all([readPlaces(tx, stock), readHoldings(tx, stock, skus, reservations)]);
  return new Shelf({ stock, reservations, places, holdings });
}

/** Sends the changes to rows that this transaction has locked. */
export function saveShelf(tx: Tx, shelf: Shelf): void {
  updateReservations(tx, [...shelf.changedReservations]);
  updateChangedStock(tx, [...shelf.pieces.changedStock]);
  insertReservations(tx, [...shelf.newReservations]);
  insertMovements(tx, shelf.pieces.movements);
  saveBackorders(tx, shelf.backorders);
  const places = [...shelf.pieces.changedPlaces];
  if (places.length > 0)
    tx.send(updatePlaces, [rowsOf(places.map(({ onHand, ...place }) => ({ ...place, on_hand: onHand })))]);
  saveHoldings(tx, shelf.holdings.changes);
}

function saveHoldings(tx: Tx, changes: readonly Holding[]): void {
  const more = changes.filter(({ quantity }) => quantity > 0);
  const less = changes.filter(({ quantity }) => quantity < 0);
  if (more.length > 0) tx.send(addHoldings, [rowsOf(more.map((one) => ({ ...one })))]);
  if (less.length > 0) tx.send(takeHoldings, [rowsOf(less.map((one) => ({ ...one })))]);
}

function requireComponents(stock: readonly Stock[], wanted: readonly OwnedSku[]): void {
  const bundles = stock.filter(({ components }) => components !== null);
  if (bundles.length === 0) return;
  const locked = new Set(stock.map(keyOf));
  const asked = new Set(wanted.map(keyOf));
  for (const bundle of bundles.filter((row) => asked.has(keyOf(row)))) {
    const isComplete = bundle.components!.every(({ sku }) => locked.has(keyOf({ tenant: bundle.tenant, sku })));
    if (!isComplete) throw new ComponentsChangedError(bundle.sku);
  }
}

async function readPlaces(tx: Tx, stock: readonly Stock[]): Promise<StockPlace[]> {
  const located = stock.filter((row) => row.located);
  if (located.length === 0) return [];
  const values = [located.map(({ tenant }) => tenant), located.map(({ sku }) => sku)];
  const rows = await tx.query<Omit<StockPlace, 'onHand'> & { on_hand: number }>(selectPlaces, values);
  return rows.map(({ on_hand, ...place }) => ({ ...place, onHand: on_hand }));
}

async function readHoldings(
  tx: Tx,
  stock: readonly Stock[],
  wanted: readonly WantedSku[],
  reservations: readonly Reservation[],
): Promise<Holding[]> {
  const limited = stock.filter(({ customerLimit }) => customerLimit !== null);
  const customers = new Set([...wanted, ...reservations].flatMap(({ customer }) => customer ?? []));
  if (limited.length === 0 || customers.size === 0) return [];
  return tx.query<Holding>(selectHoldings, [
    limited.map(({ tenant }) => tenant),
    limited.map(({ sku }) => sku),
    [...customers],
  ]);
}

const keyOf = ({ tenant, sku }: OwnedSku): string => `${tenant}\n${sku}`;

const selectPlaces: Statement = {
  name: 'stock-place.select',
  text: `
    select p.tenant, p.sku, p.place, p.on_hand, p.reserved
    from unnest($1::text[], $2::text[]) as k (tenant, sku)
    join stock_place p on p.tenant = k.tenant and p.sku = k.sku`,
};

const selectHoldings: Statement = {
  name: 'customer-holding.select',
  text: `
    select h.tenant, h.sku, h.customer, h.quantity
    from unnest($1::text[], $2::text[]) as k (tenant, sku)
    join customer_holding h on h.tenant = k.tenant and h.sku = k.sku and h.customer = any($3::text[])`,
};

const updatePlaces: Statement = {
  name: 'stock-place.update',
  text: `
    update stock_place p set on_hand = c.on_hand, reserved = c.reserved
    from jsonb_to_recordset($1::jsonb) as c (tenant text, sku text, place text, on_hand bigint, reserved bigint)
    where p.tenant = c.tenant and p.sku = c.sku and p.place = c.place`,
};

const addHoldings: Statement = {
  name: 'customer-holding.add',
  text: `
    insert into customer_holding as h (tenant, sku, customer, quantity)
    select tenant, sku, customer, quantity
    from jsonb_to_recordset($1::jsonb) as c (tenant text, sku text, customer text, quantity bigint)
    on conflict (tenant, sku, customer) do update set quantity = h.quantity + excluded.quantity`,
};

// The rows of a customer who was erased are gone, and what they reserve later counts anew.
const takeHoldings: Statement = {
  name: 'customer-holding.take',
  text: `
    update customer_holding h set quantity = greatest(0, h.quantity + c.quantity)
    from jsonb_to_recordset($1::jsonb) as c (tenant text, sku text, customer text, quantity bigint)
    where h.tenant = c.tenant and h.sku = c.sku and h.customer = c.customer`,
};
