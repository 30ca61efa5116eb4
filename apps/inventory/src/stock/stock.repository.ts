/** The rows of stock and their movements. Every statement that writes or locks them is here. */
import { type Database, rowsOf, type Statement, type Tx } from '@shop/postgres';
import type { OwnedSku } from './pieces';
import type { Movement, Stock, StockLine } from './stock';

interface StockRow {
  tenant: string;
  sku: string;
  on_hand: number;
  reserved: number;
  awaited: number;
  backorder_limit: number;
  customer_limit: number | null;
  components: StockLine[] | null;
  located: boolean;
  version: number;
}

/** An adjustment that was made before. */
export interface Adjustment {
  tenant: string;
  sku: string;
  delta: number;
  reason: string;
  /** At a SKU with places. */
  place?: string;
}

export const ADJUSTMENT_NATURAL_KEY = 'stock_movement_adjustment';

/** Locks these rows, in key order. So two replicas with opposite orders never deadlock. */
export async function lockStock(tx: Tx, skus: readonly OwnedSku[]): Promise<Stock[]> {
  if (skus.length === 0) return [];
  const values = [skus.map(({ tenant }) => tenant), skus.map(({ sku }) => sku)];
  return (await tx.query<StockRow>(selectStockForUpdate, values)).map(stockOf);
}

export async function lockOneStock(tx: Tx, tenant: string, sku: string): Promise<Stock | undefined> {
  const [stock] = await lockStock(tx, [{ tenant, sku }]);
  return stock;
}

/**
 * Locks these rows, those of the components of bundles, and those of the pieces of these reservations, in key order. The
 * SKUs of a reservation never change, so the caller need not know them before. The components of a bundle may have
 * changed before its row was locked; see `loadShelf`.
 */
export async function lockStockFor(
  tx: Tx,
  skus: readonly OwnedSku[],
  reservations: readonly { tenant: string; id: string }[],
): Promise<Stock[]> {
  if (skus.length === 0 && reservations.length === 0) return [];
  const values = [
    skus.map(({ tenant }) => tenant),
    skus.map(({ sku }) => sku),
    reservations.map(({ tenant }) => tenant),
    reservations.map(({ id }) => id),
  ];
  return (await tx.query<StockRow>(selectStockOfAll, values)).map(stockOf);
}

/** Sends the numbers of rows that this transaction has locked. */
export function updateChangedStock(tx: Tx, changed: readonly Stock[]): void {
  if (changed.length === 0) return;
  const rows = changed.map(({ tenant, sku, onHand, reserved, awaited }) => ({
    tenant,
    sku,
    on_hand: onHand,
    reserved,
    awaited,
  }));
  tx.send(updateStock, [rowsOf(rows)]);
}

export function insertMovements(tx: Tx, movements: readonly Movement[]): void {
  if (movements.length === 0) return;
  const rows = movements.map(({ tenant, sku, delta, reason, cause, place }) => ({
    tenant,
    sku,
    delta,
    reason,
    cause,
    place,
  }));
  tx.send(insertMovementRows, [rowsOf(rows)]);
}

/** Returns undefined when there is a row already. */
export async function createStock(
  database: Database,
  tenant: string,
  sku: string,
  onHand: number,
): Promise<Stock | undefined> {
  const [row] = await database.query<StockRow>(insertStock, [tenant, sku, onHand]);
  return row && stockOf(row);
}

/** The adjustment that was made under this cause, if there is one. */
export async function findAdjustment(tx: Tx, cause: string): Promise<Adjustment | undefined> {
  const [row] = await tx.query<Adjustment & { place: string | null }>(selectAdjustment, [cause]);
  return row && { ...row, place: row.place ?? undefined };
}

/**
 * Changes the number on hand in a row that this transaction has locked, and writes the movement that explains the
 * change.
 */
export function adjustStock(tx: Tx, stock: Stock, adjustment: Omit<Movement, 'tenant' | 'sku'>): Stock {
  const adjusted = { ...stock, onHand: stock.onHand + adjustment.delta, version: stock.version + 1 };
  updateChangedStock(tx, [adjusted]);
  const { tenant, sku } = stock;
  if (adjustment.delta !== 0) insertMovements(tx, [{ tenant, sku, ...adjustment }]);
  return adjusted;
}

const stockOf = (row: StockRow): Stock => ({
  tenant: row.tenant,
  sku: row.sku,
  onHand: row.on_hand,
  reserved: row.reserved,
  awaited: row.awaited,
  backorderLimit: row.backorder_limit,
  customerLimit: row.customer_limit,
  components: row.components,
  located: row.located,
  version: row.version,
});

const columns =
  'tenant, sku, on_hand, reserved, awaited, backorder_limit, customer_limit, components, located, version';

const selectStockForUpdate: Statement = {
  name: 'stock.select-for-update',
  text: `
    select ${columns} from stock
    where (tenant, sku) in (select * from unnest($1::text[], $2::text[]))
    order by tenant, sku for update`,
};

const selectStockOfAll: Statement = {
  name: 'stock.select-all-for-update',
  text: `
    select ${columns} from stock
    where (tenant, sku) in (
      select * from unnest($1::text[], $2::text[])
      union
      select s.tenant, part ->> 'sku'
      from unnest($1::text[], $2::text[]) as w (tenant, sku)
      join stock s on s.tenant = w.tenant and s.sku = w.sku
      cross join jsonb_array_elements(s.components) as part
      union
      select r.tenant, piece ->> 'sku'
      from unnest($3::text[], $4::uuid[]) as k (tenant, id)
      join reservation r on r.tenant = k.tenant and r.id = k.id
      cross join jsonb_array_elements(
        r.lines || coalesce(r.pieces, '[]') || coalesce(r.awaited, '[]') || coalesce(r.counted, '[]')) as piece
    )
    order by tenant, sku for update`,
};

const updateStock: Statement = {
  name: 'stock.update',
  text: `
    update stock s
    set on_hand = c.on_hand, reserved = c.reserved, awaited = c.awaited, version = s.version + 1, updated_at = now()
    from jsonb_to_recordset($1::jsonb) as c (tenant text, sku text, on_hand bigint, reserved bigint, awaited bigint)
    where s.tenant = c.tenant and s.sku = c.sku`,
};

const insertMovementRows: Statement = {
  name: 'stock-movement.insert',
  text: `
    insert into stock_movement (tenant, sku, delta, reason, cause, place)
    select tenant, sku, delta, reason, cause, place
    from jsonb_to_recordset($1::jsonb) as m (
      tenant text, sku text, delta bigint, reason text, cause text, place text)`,
};

const selectAdjustment: Statement = {
  name: 'stock-movement.select-adjustment',
  text: `select tenant, sku, delta, reason, place from stock_movement where cause = $1 and cause like 'POST %'`,
};

const insertStock: Statement = {
  name: 'stock.insert',
  text: `
    with created as (
      insert into stock (tenant, sku, on_hand) values ($1, $2, $3) on conflict do nothing
      returning ${columns}
    ), moved as (
      insert into stock_movement (tenant, sku, delta, reason, cause)
      select tenant, sku, on_hand, 'counted', 'PUT' from created where on_hand > 0
    )
    select ${columns} from created`,
};
