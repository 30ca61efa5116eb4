/** The commands on reservations, and what each of them does to the shelf. */
import { Inject, Injectable } from '@nestjs/common';
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
import { RESERVATION_PRIMARY_KEY } from '../stock/reservation.repository';
import type { Shelf } from '../stock/shelf';
import { ComponentsChangedError, loadShelf, saveShelf } from '../stock/shelf.repository';
import { isOfSaga, reserveForSaga } from './reserve-for-saga';

export interface CommandOptions {
  /** So long what a saga has reserved is held. A saga ends before; what is left then belongs to one that was lost. */
  orderReservationSeconds: number;
  /** Is told after the commit that pieces have come for those who wait. */
  wakeFilling?: () => void;
}

export const COMMAND_OPTIONS = Symbol('options of the commands on reservations');

@Injectable()
export class ReservationCommands implements CommandSet<Shelf> {
  constructor(@Inject(COMMAND_OPTIONS) private readonly options: CommandOptions) {}

  readonly handlers = [
    on(ReserveStock, (shelf: Shelf, { body }) => {
      const said = reserveForSaga(shelf, body, this.options.orderReservationSeconds);
      return said === 'reserved' ? succeeded() : refused(said);
    }),
    on(ReleaseStock, (shelf: Shelf, { body }) => {
      const { tenant, reservationId } = body;
      return succeeded({ result: isOfSaga(shelf, body) ? shelf.release(tenant, reservationId) : 'nothing_held' });
    }),
    on(ConfirmReservation, (shelf: Shelf, { body }) => {
      const { tenant, reservationId } = body;
      const made = isOfSaga(shelf, body) ? shelf.confirm(tenant, reservationId) : 'reservation_expired';
      return made === 'confirmed' ? succeeded() : refused(made);
    }),
    on(RestockReservation, (shelf: Shelf, { body }) => {
      const { tenant, reservationId } = body;
      return succeeded({ result: isOfSaga(shelf, body) ? shelf.restock(tenant, reservationId) : 'nothing_sold' });
    }),
  ];

  /** One round trip reads the reservations, the stock of their pieces, and the stock of what is asked for. */
  load(tx: Tx, commands: readonly Command[]): Promise<Shelf> {
    const bodies = commands.map(({ body }) => body as ReservationBody | ReserveStockBody);
    const reservations = bodies.flatMap((body) => {
      const ids = 'takes' in body && body.takes !== undefined ? [body.reservationId, body.takes] : [body.reservationId];
      return ids.map((id) => ({ tenant: body.tenant, id }));
    });
    const skus = bodies.flatMap((body) =>
      'lines' in body ? body.lines.map(({ sku }) => ({ tenant: body.tenant, sku, customer: body.customer })) : [],
    );
    return loadShelf(tx, { reservations, skus });
  }

  save(tx: Tx, shelf: Shelf): void {
    saveShelf(tx, shelf);
    if (shelf.fillable.length > 0) tx.afterCommit(() => this.options.wakeFilling?.());
  }

  /** Another replica has made the same reservation meanwhile, or a bundle has changed. Run again and see it. */
  retryOn(error: unknown): boolean {
    return isUniqueViolation(error, RESERVATION_PRIMARY_KEY) || error instanceof ComponentsChangedError;
  }
}
