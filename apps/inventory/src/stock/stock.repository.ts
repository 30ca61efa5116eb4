/** The tables of stock, movements and reservations. Every statement that writes or locks them is here. */
import { type Database, rowsOf, type Statement, type Tx } from '@shop/postgres';
import type { Movement, Reservation, ReservationStatus, Stock, StockLine, Warehouse } from './warehouse';

interface StockRow {
  tenant: string;
  sku: string;
  on_hand: number;
  reserved: number;
  version: number;
}

interface ReservationRow {
  id: string;
  tenant: string;
  lines: StockLine[];
  status: ReservationStatus;
}

/** An adjustment that was made before. */
export interface Adjustment {
  tenant: string;
  sku: string;
  delta: number;
  reason: string;
}

export const RESERVATION_PRIMARY_KEY = 'reservation_pkey';
export const ADJUSTMENT_NATURAL_KEY = 'stock_movement_adjustment';

/** Locks the reservations in key order. */
export async function lockReservations(tx: Tx, ids: readonly string[]): Promise<Reservation[]> {
  return ids.length === 0 ? [] : tx.query<ReservationRow>(selectReservationsForUpdate, [ids]);
}

/**
 * Locks the stock rows of these SKUs and of the lines of these reservations, in key order. So two replicas with
 * opposite orders never deadlock. The lines of a reservation never change, so the caller need not know them before.
 */
export async function lockStockFor(
  tx: Tx,
  wanted: readonly { tenant: string; sku: string }[],
  reservationIds: readonly string[],
): Promise<Stock[]> {
  if (wanted.length === 0 && reservationIds.length === 0) return [];
  const values = [wanted.map(({ tenant }) => tenant), wanted.map(({ sku }) => sku), reservationIds];
  return (await tx.query<StockRow>(selectStockForUpdate, values)).map(stockOf);
}

/** Saves the changes to rows that this transaction has locked. */
export function saveWarehouse(tx: Tx, warehouse: Warehouse): void {
  updateChangedReservations(tx, [...warehouse.changedReservations]);
  updateChangedStock(tx, [...warehouse.changedStock]);
  insertNewReservations(tx, [...warehouse.newReservations]);
  insertMovements(tx, warehouse.movements);
}

function updateChangedStock(tx: Tx, changed: readonly Stock[]): void {
  if (changed.length === 0) return;
  const rows = changed.map(({ tenant, sku, onHand, reserved }) => ({ tenant, sku, on_hand: onHand, reserved }));
  tx.send(updateStock, [rowsOf(rows)]);
}

function insertNewReservations(tx: Tx, rows: readonly Reservation[]): void {
  if (rows.length === 0) return;
  tx.send(insertReservations, [rowsOf(rows.map(({ id, tenant, lines, status }) => ({ id, tenant, lines, status })))]);
}

function updateChangedReservations(tx: Tx, changed: readonly Reservation[]): void {
  if (changed.length === 0) return;
  tx.send(updateReservations, [changed.map(({ id }) => id), changed.map(({ status }) => status)]);
}

function insertMovements(tx: Tx, movements: readonly Movement[]): void {
  if (movements.length === 0) return;
  const rows = movements.map(({ tenant, sku, delta, reason, cause }) => ({ tenant, sku, delta, reason, cause }));
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

export async function lockOneStock(tx: Tx, tenant: string, sku: string): Promise<Stock | undefined> {
  const [stock] = await lockStockFor(tx, [{ tenant, sku }], []);
  return stock;
}

/** The adjustment that was made under this cause, if there is one. */
export async function findAdjustment(tx: Tx, cause: string): Promise<Adjustment | undefined> {
  const [row] = await tx.query<Adjustment>(selectAdjustment, [cause]);
  return row;
}

/**
 * Changes the number on hand in a row that this transaction has locked, and writes the movement that explains the
 * change.
 */
export function adjustStock(tx: Tx, stock: Stock, adjustment: { delta: number; reason: string; cause: string }): Stock {
  const adjusted = { ...stock, onHand: stock.onHand + adjustment.delta, version: stock.version + 1 };
  updateChangedStock(tx, [adjusted]);
  if (adjustment.delta !== 0) {
    const { delta, reason, cause } = adjustment;
    tx.send(insertMovementRows, [rowsOf([{ tenant: stock.tenant, sku: stock.sku, delta, reason, cause }])]);
  }
  return adjusted;
}

const stockOf = ({ tenant, sku, on_hand, reserved, version }: StockRow): Stock => ({
  tenant,
  sku,
  onHand: on_hand,
  reserved,
  version,
});

const selectReservationsForUpdate: Statement = {
  name: 'reservation.select-for-update',
  text: `select id, tenant, lines, status from reservation where id = any($1::uuid[]) order by id for update`,
};

const selectStockForUpdate: Statement = {
  name: 'stock.select-for-update',
  text: `
    select tenant, sku, on_hand, reserved, version from stock
    where (tenant, sku) in (
      select * from unnest($1::text[], $2::text[])
      union
      select r.tenant, line ->> 'sku' from reservation r cross join jsonb_array_elements(r.lines) as line
      where r.id = any($3::uuid[])
    )
    order by tenant, sku for update`,
};

const updateStock: Statement = {
  name: 'stock.update',
  text: `
    update stock s
    set on_hand = c.on_hand, reserved = c.reserved, version = s.version + 1, updated_at = now()
    from jsonb_to_recordset($1::jsonb) as c (tenant text, sku text, on_hand bigint, reserved bigint)
    where s.tenant = c.tenant and s.sku = c.sku`,
};

const insertReservations: Statement = {
  name: 'reservation.insert',
  text: `
    insert into reservation (id, tenant, lines, status)
    select id, tenant, lines, status
    from jsonb_to_recordset($1::jsonb) as r (id uuid, tenant text, lines jsonb, status text)`,
};

const updateReservations: Statement = {
  name: 'reservation.update',
  text: `
    update reservation r set status = c.status, updated_at = now()
    from unnest($1::uuid[], $2::text[]) as c (id, status)
    where r.id = c.id`,
};

const insertMovementRows: Statement = {
  name: 'stock-movement.insert',
  text: `
    insert into stock_movement (tenant, sku, delta, reason, cause)
    select tenant, sku, delta, reason, cause
    from jsonb_to_recordset($1::jsonb) as m (tenant text, sku text, delta bigint, reason text, cause text)`,
};

const selectAdjustment: Statement = {
  name: 'stock-movement.select-adjustment',
  text: `select tenant, sku, delta, reason from stock_movement where cause = $1 and cause like 'POST %'`,
};

const insertStock: Statement = {
  name: 'stock.insert',
  text: `
    with created as (
      insert into stock (tenant, sku, on_hand) values ($1, $2, $3) on conflict do nothing
      returning tenant, sku, on_hand, reserved, version
    ), moved as (
      insert into stock_movement (tenant, sku, delta, reason, cause)
      select tenant, sku, on_hand, 'counted', 'PUT' from created where on_hand > 0
    )
    select tenant, sku, on_hand, reserved, version from created`,
};
