/** What a saga's command to reserve does, and what a saga may do with a reservation. Pure. */
import type { ReserveStockBody } from '@shop/contracts';
import type { Reservation } from '../stock/reservation';
import type { Shelf } from '../stock/shelf';

/** `undone`: it was released before. */
export type Said =
  | 'reserved'
  | 'out_of_stock'
  | 'limit_reached'
  | 'reservation_expired'
  | 'reservation_used'
  | 'reservation_mismatch'
  | 'undone';

type Order = Pick<ReserveStockBody, 'tenant' | 'reservationId' | 'lines' | 'takes' | 'customer'>;

/**
 * Reserves all lines or none, or takes over a reservation that the client had made before. It is done once, even if the
 * ledger has forgotten the command.
 */
export function reserveForSaga(shelf: Shelf, order: Order, expiresInSeconds: number): Said {
  const { tenant, reservationId: id, lines, takes, customer } = order;
  const made = shelf.find(tenant, id);
  if (made) return saidOf(made);
  const wish = { tenant, id, lines, customer, expiresInSeconds };
  if (takes !== undefined) return shelf.takeOver(wish, takes);
  const { outcome } = shelf.reserve(wish);
  // Of something with a limit, nobody in particular may have nothing.
  return outcome === 'customer_required' ? 'limit_reached' : outcome;
}

/** A client may have chosen the id of a saga for a reservation of its own. That one is not the saga's to end. */
export function isOfSaga(shelf: Shelf, { tenant, reservationId }: { tenant: string; reservationId: string }): boolean {
  return shelf.find(tenant, reservationId)?.placedBy === undefined;
}

function saidOf({ placedBy, status }: Reservation): Said {
  if (placedBy !== undefined) return 'reservation_mismatch';
  if (status === 'released') return 'undone';
  return status === 'expired' ? 'reservation_expired' : 'reserved';
}
