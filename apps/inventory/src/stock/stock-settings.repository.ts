/** The statements by which people place stock and change what is allowed for it, behind the lock of its row. */
import type { Statement, Tx } from '@shop/postgres';
import { MAIN, type Movement, type Stock, type StockPlace } from './stock';
import { adjustStock, lockOneStock } from './stock.repository';

export interface PlacedStock {
  stock: Stock;
  /** In the order of their names. Empty for a SKU without places. */
  places: StockPlace[];
}

/** The row of the stock is the lock of its places, too. */
export async function lockPlacedStock(tx: Tx, tenant: string, sku: string): Promise<PlacedStock | undefined> {
  const stock = await lockOneStock(tx, tenant, sku);
  if (!stock) return undefined;
  return { stock, places: stock.located ? await tx.query<StockPlace>(selectPlaces, [tenant, sku]) : [] };
}

/** Sends the change of what is on hand, at a place if the SKU has some, and returns the stock as it is then. */
export function adjustPlacedStock(tx: Tx, stock: Stock, change: Omit<Movement, 'tenant' | 'sku'>): Stock {
  if (change.place !== undefined) tx.send(updatePlace, [stock.tenant, stock.sku, change.place, change.delta]);
  return adjustStock(tx, stock, change);
}

/** Sends a new place with nothing there. With the first one, what the SKU has stands at `main`. */
export function createPlace(tx: Tx, { tenant, sku, located, onHand, reserved, awaited }: Stock, place: string): void {
  if (!located) {
    tx.send(markLocated, [tenant, sku]);
    tx.send(insertPlace, [tenant, sku, MAIN, onHand, reserved - awaited]);
  }
  if (place !== MAIN) tx.send(insertPlace, [tenant, sku, place, 0, 0]);
}

export function changePolicy(
  tx: Tx,
  { tenant, sku }: Stock,
  { backorderLimit, customerLimit }: Pick<Stock, 'backorderLimit' | 'customerLimit'>,
): void {
  tx.send(updatePolicy, [tenant, sku, backorderLimit, customerLimit]);
}

const selectPlaces: Statement = {
  name: 'stock-place.select-of',
  text: `
    select tenant, sku, place, on_hand as "onHand", reserved from stock_place
    where tenant = $1 and sku = $2 order by place`,
};

const updatePlace: Statement = {
  name: 'stock-place.change-on-hand',
  text: `update stock_place set on_hand = on_hand + $4 where tenant = $1 and sku = $2 and place = $3`,
};

const markLocated: Statement = {
  name: 'stock.mark-located',
  text: `update stock set located = true where tenant = $1 and sku = $2`,
};

const insertPlace: Statement = {
  name: 'stock-place.insert',
  text: `insert into stock_place (tenant, sku, place, on_hand, reserved) values ($1, $2, $3, $4, $5)`,
};

const updatePolicy: Statement = {
  name: 'stock.change-policy',
  text: `
    update stock set backorder_limit = $3, customer_limit = $4, version = version + 1, updated_at = now()
    where tenant = $1 and sku = $2`,
};
