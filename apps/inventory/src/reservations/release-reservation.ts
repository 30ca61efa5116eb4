/** `DELETE /reservations/{id}`: gives the pieces of a client's reservation back, in one transaction. */
import { isVisible } from '@shop/http';
import type { Database } from '@shop/postgres';
import type { Problem } from '@shop/problem';
import type { Reservation } from '../stock/reservation';
import { loadShelf, saveShelf } from '../stock/shelf.repository';
import {
  type ReservationKey,
  reservationConfirmed,
  reservationNotFound,
  reservationOfOrder,
  reservationUsed,
} from './reservation-request';

/** As `ReservationsService.release`. */
export async function releaseByClient(
  { database, wakeFilling }: { database: Database; wakeFilling: () => void },
  key: ReservationKey,
  allow: (reservation: { version: number }) => void,
): Promise<void> {
  const { tenant, id } = key;
  await database.transaction(async (tx) => {
    const shelf = await loadShelf(tx, { reservations: [{ tenant, id }], skus: [] });
    const reservation = shelf.find(tenant, id);
    if (!reservation || !isVisible(reservation, key)) throw reservationNotFound();
    const problem = objectionTo(reservation);
    if (problem) throw problem;
    if (reservation.status !== 'open') return;
    allow(reservation);
    shelf.release(tenant, id);
    saveShelf(tx, shelf);
    if (shelf.fillable.length > 0) tx.afterCommit(wakeFilling);
  });
}

function objectionTo({ status, placedBy }: Reservation): Problem | undefined {
  if (status === 'confirmed' || status === 'restocked') return reservationConfirmed();
  if (status === 'taken') return reservationUsed();
  return status === 'open' && placedBy === undefined ? reservationOfOrder() : undefined;
}
