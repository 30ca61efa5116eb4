/** The commands on reservations, and what each of them does to the warehouse. */
import { Injectable } from '@nestjs/common';
import {
  ConfirmReservation,
  ReleaseStock,
  type ReservationBody,
  ReserveStock,
  type ReserveStockBody,
  RestockReservation,
} from '@shop/contracts';
import { type Command, type CommandSet, on, refused, succeeded } from '@shop/participant';
import { isUniqueViolation, type Tx } from '@shop/postgres';
import { Warehouse } from '../stock/warehouse';
import { lockReservations, lockStockFor, RESERVATION_PRIMARY_KEY, saveWarehouse } from '../stock/stock.repository';

@Injectable()
export class ReservationCommands implements CommandSet<Warehouse> {
  readonly handlers = [
    on(ReserveStock, (warehouse: Warehouse, { body: { tenant, reservationId, lines } }) => {
      const made = warehouse.reserve(tenant, reservationId, lines);
      return made === 'reserved' ? succeeded() : refused(made);
    }),
    on(ReleaseStock, (warehouse: Warehouse, { body: { tenant, reservationId } }) =>
      succeeded({ result: warehouse.release(tenant, reservationId) }),
    ),
    on(ConfirmReservation, (warehouse: Warehouse, { body: { tenant, reservationId } }) => {
      const made = warehouse.confirm(tenant, reservationId);
      return made === 'confirmed' ? succeeded() : refused(made);
    }),
    on(RestockReservation, (warehouse: Warehouse, { body: { tenant, reservationId } }) =>
      succeeded({ result: warehouse.restock(tenant, reservationId) }),
    ),
  ];

  /** One round trip reads the reservations, the stock of their lines, and the stock of the requested lines. */
  async load(tx: Tx, commands: readonly Command[]): Promise<Warehouse> {
    const bodies = commands.map(({ body }) => body as ReservationBody | ReserveStockBody);
    const ids = bodies.map(({ reservationId }) => reservationId);
    const wanted = bodies.flatMap((body) =>
      'lines' in body ? body.lines.map(({ sku }) => ({ tenant: body.tenant, sku })) : [],
    );
    const [reservations, stock] = await Promise.all([lockReservations(tx, ids), lockStockFor(tx, wanted, ids)]);
    return new Warehouse(stock, reservations);
  }

  save(tx: Tx, warehouse: Warehouse): void {
    saveWarehouse(tx, warehouse);
  }

  /** Another replica has made the same reservation meanwhile. Run again and see it. */
  retryOn(error: unknown): boolean {
    return isUniqueViolation(error, RESERVATION_PRIMARY_KEY);
  }
}
