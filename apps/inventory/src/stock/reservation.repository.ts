/** The table of reservations. Every statement that writes or locks its rows is here. */
import { bytea, rowsOf, type Statement, type Tx } from '@shop/postgres';
import type { Reservation, ReservationStatus } from './reservation';
import type { Piece, StockLine } from './stock';

interface ReservationRow {
  tenant: string;
  id: string;
  lines: StockLine[];
  status: ReservationStatus;
  pieces: Piece[] | null;
  awaited: StockLine[] | null;
  counted: StockLine[] | null;
  expires_at: Date | null;
  placed_by: string | null;
  customer: string | null;
  request_hash: Buffer | null;
  taken_by: string | null;
  version: number;
}

export interface ReservationId {
  tenant: string;
  id: string;
}

export const RESERVATION_PRIMARY_KEY = 'reservation_pkey';

/** Locks the reservations in key order. */
export async function lockReservations(tx: Tx, keys: readonly ReservationId[]): Promise<Reservation[]> {
  if (keys.length === 0) return [];
  const values = [keys.map(({ tenant }) => tenant), keys.map(({ id }) => id)];
  return (await tx.query<ReservationRow>(selectForUpdate, values)).map(reservationOf);
}

/** Sends what has changed in rows that this transaction has locked. */
export function updateReservations(tx: Tx, changed: readonly Reservation[]): void {
  if (changed.length > 0) tx.send(update, [rowsOf(changed.map(changesOf))]);
}

/** Fails with a unique violation of `RESERVATION_PRIMARY_KEY` if somebody else has made one of them. */
export function insertReservations(tx: Tx, made: readonly Reservation[]): void {
  if (made.length > 0) tx.send(insert, [rowsOf(made.map(rowOf))]);
}

const reservationOf = (row: ReservationRow): Reservation => ({
  tenant: row.tenant,
  id: row.id,
  lines: row.lines,
  status: row.status,
  pieces: row.pieces ?? row.lines,
  awaited: row.awaited ?? [],
  counted: row.counted ?? [],
  expiresAt: row.expires_at?.toISOString(),
  placedBy: row.placed_by ?? undefined,
  customer: row.customer ?? undefined,
  requestHash: row.request_hash ?? undefined,
  takenBy: row.taken_by ?? undefined,
  version: row.version,
});

const changesOf = (reservation: Reservation) => ({
  tenant: reservation.tenant,
  id: reservation.id,
  status: reservation.status,
  pieces: isPlain(reservation) ? null : reservation.pieces,
  awaited: orNull(reservation.awaited),
  taken_by: reservation.takenBy,
});

const rowOf = (reservation: Reservation) => ({
  ...changesOf(reservation),
  lines: reservation.lines,
  counted: orNull(reservation.counted),
  expires_at: reservation.expiresAt,
  expires_in: reservation.expiresInSeconds,
  placed_by: reservation.placedBy,
  customer: reservation.customer,
  request_hash: reservation.requestHash && bytea(reservation.requestHash),
});

const orNull = (lines: StockLine[]): StockLine[] | null => (lines.length === 0 ? null : lines);

/** Most reservations hold just what their lines say, without places. Their rows need not say it twice. */
const isPlain = ({ lines, pieces }: Reservation): boolean =>
  lines.length === pieces.length &&
  pieces.every(({ sku, quantity, place }, index) => {
    const line = lines[index]!;
    return place === undefined && sku === line.sku && quantity === line.quantity;
  });

const selectForUpdate: Statement = {
  name: 'reservation.select-for-update',
  text: `
    select tenant, id, lines, status, pieces, awaited, counted, expires_at, placed_by, customer, request_hash, taken_by,
           version
    from reservation
    where (tenant, id) in (select * from unnest($1::text[], $2::uuid[]))
    order by tenant, id for update`,
};

const update: Statement = {
  name: 'reservation.update',
  text: `
    update reservation r
    set status = c.status, pieces = c.pieces, awaited = c.awaited, taken_by = c.taken_by, version = r.version + 1,
        updated_at = now()
    from jsonb_to_recordset($1::jsonb) as c (
      tenant text, id uuid, status text, pieces jsonb, awaited jsonb, taken_by uuid)
    where r.tenant = c.tenant and r.id = c.id`,
};

const insert: Statement = {
  name: 'reservation.insert',
  text: `
    insert into reservation (
      tenant, id, lines, status, pieces, awaited, counted, expires_at, placed_by, customer, request_hash, taken_by)
    select tenant, id, lines, status, pieces, awaited, counted,
           coalesce(expires_at, now() + expires_in * interval '1 second'), placed_by, customer, request_hash, taken_by
    from jsonb_to_recordset($1::jsonb) as r (
      tenant text, id uuid, lines jsonb, status text, pieces jsonb, awaited jsonb, counted jsonb,
      expires_at timestamptz, expires_in int, placed_by text, customer text, request_hash bytea, taken_by uuid)
    order by tenant, id`,
};
