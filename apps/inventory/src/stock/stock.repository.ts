/** The tables of stock, movements and reservations: every statement on them stands here. */
import {
  countedOrFail,
  type Database,
  isBadNumber,
  isCheckViolation,
  isUniqueViolation,
  rowsOf,
  type Statement,
  type Tx,
} from '@shop/postgres';
import type { Movement, Reservation, ReservationStatus, Shelf, Stock, StockChange, StockLine } from './stock';

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

/** What an adjustment has left behind. */
export interface Adjustment {
  tenant: string;
  sku: string;
  delta: number;
  reason: string;
}

/** Begin the words of statements that find less than they were to change. */
const STOCK_MISSING = 'stock missing';
const RESERVATION_MOVED = 'reservation moved';
const RESERVATION_PRIMARY_KEY = 'reservation_pkey';
const STOCK_CHECKS = ['stock_check', 'stock_on_hand_check', 'stock_reserved_check'];
export const ADJUSTMENT_NATURAL_KEY = 'stock_movement_adjustment';

/** Locks the reservations in key order. */
export async function lockReservations(tx: Tx, ids: readonly string[]): Promise<Reservation[]> {
  return ids.length === 0 ? [] : tx.query<ReservationRow>(selectReservationsForUpdate, [ids]);
}

/**
 * Locks the stock rows of these SKUs, and of the lines of these reservations, in key order, so that two replicas with
 * opposite orders never deadlock. The lines of a reservation never change, so they need not be known before.
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

/** Reads the stock rows of these SKUs as they are; somebody may change them at any time. */
export async function readStock(tx: Tx, wanted: readonly { tenant: string; sku: string }[]): Promise<Stock[]> {
  if (wanted.length === 0) return [];
  const values = [wanted.map(({ tenant }) => tenant), wanted.map(({ sku }) => sku)];
  return (await tx.query<StockRow>(selectStockRows, values)).map(stockOf);
}

/**
 * Saves what has changed as changes, not as values, so rows that were only presumed can be among them: the transaction
 * fails with what `isPresumedWrongly` knows unless there is enough of every SKU, and every reservation is still as it was.
 * Reservations go first, then stock, each in key order, so that two replicas never deadlock.
 */
export function saveShelf(tx: Tx, shelf: Shelf): void {
  updateChangedReservations(tx, [...shelf.changedReservations]);
  updateChangedStock(tx, [...shelf.changedStock]);
  insertNewReservations(tx, [...shelf.newReservations]);
  insertMovements(tx, shelf.movements);
}

/** True when what was presumed of a shelf was wrong, or another replica has made the same reservation meanwhile. */
export function isPresumedWrongly(error: unknown): boolean {
  return (
    isUniqueViolation(error, RESERVATION_PRIMARY_KEY) ||
    isBadNumber(error, STOCK_MISSING) ||
    isBadNumber(error, RESERVATION_MOVED) ||
    STOCK_CHECKS.some((check) => isCheckViolation(error, check))
  );
}

function updateChangedStock(tx: Tx, changes: readonly (readonly [Pick<Stock, 'tenant' | 'sku'>, StockChange])[]): void {
  if (changes.length === 0) return;
  const rows = changes.map(([{ tenant, sku }, { onHand, reserved }]) => ({ tenant, sku, on_hand: onHand, reserved }));
  tx.send(updateStock, [rowsOf(rows), rows.length]);
}

function insertNewReservations(tx: Tx, rows: readonly Reservation[]): void {
  if (rows.length === 0) return;
  tx.send(insertReservations, [rowsOf(rows.map(({ id, tenant, lines, status }) => ({ id, tenant, lines, status })))]);
}

function updateChangedReservations(tx: Tx, changes: readonly (readonly [Reservation, ReservationStatus])[]): void {
  if (changes.length === 0) return;
  const columns = [changes.map(([{ id }]) => id), changes.map(([, was]) => was), changes.map(([{ status }]) => status)];
  tx.send(updateReservations, [...columns, changes.length]);
}

function insertMovements(tx: Tx, movements: readonly Movement[]): void {
  if (movements.length === 0) return;
  const rows = movements.map(({ tenant, sku, delta, reason, cause }) => ({ tenant, sku, delta, reason, cause }));
  tx.send(insertMovementRows, [rowsOf(rows)]);
}

export async function findStock(database: Database, tenant: string, sku: string): Promise<Stock | undefined> {
  const [row] = await database.query<StockRow>(selectStock, [tenant, sku]);
  return row && stockOf(row);
}

/** Up to `limit` rows behind the SKU `after`, in order of SKU. */
export async function listStock(database: Database, tenant: string, after: string, limit: number): Promise<Stock[]> {
  return (await database.query<StockRow>(selectStockPage, [tenant, after, limit])).map(stockOf);
}

/** Answers nothing when there is a row already. */
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

/** Changes what is on hand, and writes the movement that explains it. */
export function adjustStock(tx: Tx, stock: Stock, adjustment: { delta: number; reason: string; cause: string }): Stock {
  const adjusted = { ...stock, onHand: stock.onHand + adjustment.delta, version: stock.version + 1 };
  updateChangedStock(tx, [[stock, { onHand: adjustment.delta, reserved: 0 }]]);
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

const selectStockRows: Statement = {
  name: 'stock.select-many',
  text: `
    select s.tenant, s.sku, s.on_hand, s.reserved, s.version
    from unnest($1::text[], $2::text[]) as k (tenant, sku)
    join stock s on s.tenant = k.tenant and s.sku = k.sku`,
};

const updateStock: Statement = {
  name: 'stock.update',
  text: countedOrFail(
    STOCK_MISSING,
    `
    update stock s
    set on_hand = s.on_hand + c.on_hand, reserved = s.reserved + c.reserved, version = s.version + 1, updated_at = now()
    from (
      select * from jsonb_to_recordset($1::jsonb) as r (tenant text, sku text, on_hand bigint, reserved bigint)
      order by tenant, sku
    ) as c
    where s.tenant = c.tenant and s.sku = c.sku
    returning 1`,
    '$2',
  ),
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
  text: countedOrFail(
    RESERVATION_MOVED,
    `
    update reservation r set status = c.status, updated_at = now()
    from (select * from unnest($1::uuid[], $2::text[], $3::text[]) as r (id, was, status) order by id) as c
    where r.id = c.id and r.status = c.was
    returning 1`,
    '$4',
  ),
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

const selectStock: Statement = {
  name: 'stock.select-one',
  text: `select tenant, sku, on_hand, reserved, version from stock where tenant = $1 and sku = $2`,
};

const selectStockPage: Statement = {
  name: 'stock.select-page',
  text: `select tenant, sku, on_hand, reserved, version from stock where tenant = $1 and sku > $2 order by sku limit $3`,
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
