/** The query of the list of reservations. */
import type { Repository, SelectQueryBuilder } from 'typeorm';
import type { ReservationStatus } from '../stock/reservation';
import type { ReservationEntity } from './reservation.entity';

export interface ReservationsPage {
  tenant: string;
  /** Only those that this principal has made. */
  placedBy?: string;
  status?: ReservationStatus;
  before?: string;
  limit: number;
}

const createdAt = 'select c.created_at from reservation c where c.tenant = :tenant and c.id = :before';

/**
 * Newest first, by the clock of the database; up to `limit` reservations behind the reservation `before`. The words with
 * `|| ''` are those of the two indexes for lists.
 */
export function queryReservations(
  reservations: Repository<ReservationEntity>,
  { tenant, placedBy, status, before, limit }: ReservationsPage,
): SelectQueryBuilder<ReservationEntity> {
  const query = reservations.createQueryBuilder('r').where(`r.tenant || '' = :tenant`, { tenant });
  if (placedBy !== undefined) query.andWhere(`r.placed_by || '' = :placedBy and r.placed_by is not null`, { placedBy });
  if (before !== undefined)
    query.andWhere(`(r.created_at, r.id) < ((${createdAt}), cast(:before as uuid))`, { before });
  if (status !== undefined) query.andWhere('r.status = :status', { status });
  return query.orderBy('r.createdAt', 'DESC').addOrderBy('r.id', 'DESC').limit(limit);
}
