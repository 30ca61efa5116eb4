/** What a batch of commands works on: presumed as far as saving will prove it, or locked and read. */
import { ConfirmReservation, ReleaseStock, type ReservationBody, type ReserveStockBody } from '@shop/contracts';
import type { Tx } from '@shop/postgres';
import { Shelf } from '../stock/stock';
import { lockReservations, lockStockFor, readStock } from '../stock/stock.repository';
import type { InventoryMemory } from './inventory-memory';

/** A command that could be read. */
export interface Asked {
  type: string;
  body: ReservationBody;
}

/** Commands under which an open reservation does not stay open, so saving proves that it was. */
const endings = new Set([ReleaseStock.type, ConfirmReservation.type]);

/**
 * As a rule there is enough of everything, nobody has reserved under a new id, and a reservation is as this replica
 * left it. What saving would not prove is read: stock and id of who may be refused, and what stays as it is.
 */
export async function presumeShelf(tx: Tx, asked: readonly Asked[], memory: InventoryMemory): Promise<Shelf> {
  const ending = asked.filter(({ type }) => endings.has(type));
  const known = ending.flatMap(({ body }) => memory.recall(body.reservationId) ?? []);
  const knownIds = new Set(known.map(({ id }) => id));
  const isScarce = ({ tenant, sku }: { tenant: string; sku: string }) => memory.isScarce(tenant, sku);
  const unknown = asked.filter(({ body }) =>
    isReserve(body) ? linesOf(body).some(isScarce) : !knownIds.has(body.reservationId),
  );
  const [reservations, stock] = await Promise.all([
    lockReservations(tx, idsOf(unknown)),
    readStock(tx, wantedBy(asked).filter(isScarce)),
  ]);
  return new Shelf(stock, [...known, ...reservations], (tenant, sku) => !memory.isScarce(tenant, sku));
}

/** In one trip: the stock rows of the lines of these reservations, and of the lines that are asked for. */
export async function loadShelf(tx: Tx, asked: readonly Asked[]): Promise<Shelf> {
  const ids = idsOf(asked);
  const [reservations, stock] = await Promise.all([lockReservations(tx, ids), lockStockFor(tx, wantedBy(asked), ids)]);
  return new Shelf(stock, reservations);
}

const isReserve = (body: ReservationBody): body is ReserveStockBody => 'lines' in body;
const idsOf = (asked: readonly Asked[]) => asked.map(({ body }) => body.reservationId);
const linesOf = ({ tenant, lines }: ReserveStockBody) => lines.map(({ sku }) => ({ tenant, sku }));
const wantedBy = (asked: readonly Asked[]) => asked.flatMap(({ body }) => (isReserve(body) ? linesOf(body) : []));
