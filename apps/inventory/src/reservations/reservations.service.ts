/** Makes, reads and gives back reservations of clients. */
import { isVisible } from '@shop/http';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Ledger, type Outcome } from '@shop/idempotency';
import { Database, GATHER_MS, Lane } from '@shop/postgres';
import type { Repository } from 'typeorm';
import { ExpiringReservations } from './expiring-reservations';
import { FillingBackorders } from './filling-backorders';
import { releaseByClient } from './release-reservation';
import { ReservationEntity } from './reservation.entity';
import { type ReservationKey, reservationNotFound } from './reservation-request';
import { queryReservations, type ReservationsPage } from './reservations-list';
import { reserveOnce, type ReserveRequest } from './reserve-once';

@Injectable()
export class ReservationsService {
  private readonly reserving: Lane<ReserveRequest, Outcome>;

  constructor(
    @InjectRepository(ReservationEntity) private readonly reservations: Repository<ReservationEntity>,
    private readonly database: Database,
    ledger: Ledger,
    expiring: ExpiringReservations,
    private readonly filling: FillingBackorders,
  ) {
    const expect = (ms: number) => expiring.expectIn(ms);
    // Thousands want the same SKU at once, so they share the lock of its row and the commit.
    this.reserving = new Lane({
      name: 'reserve',
      gatherMs: GATHER_MS,
      turnOf: ({ caller }) => caller.tenant,
      run: (batch) => reserveOnce({ database, ledger, expect }, batch),
    });
  }

  reserve(request: ReserveRequest): Promise<Outcome> {
    return this.reserving.submit(request);
  }

  /** The reservation of this tenant with this id, whoever has made it. */
  async findForAll({ tenant, id }: ReservationKey): Promise<ReservationEntity | undefined> {
    return (await this.reservations.findOneBy({ tenant, id })) ?? undefined;
  }

  /** The reservation, when whoever asks with this key sees it. */
  async find(key: ReservationKey): Promise<ReservationEntity | undefined> {
    const found = await this.findForAll(key);
    return found && isVisible(found, key) ? found : undefined;
  }

  /** @throws Problem 404 `reservation_not_found`, also for one of another tenant or of somebody else */
  async get(key: ReservationKey): Promise<ReservationEntity> {
    const found = await this.find(key);
    if (!found) throw reservationNotFound();
    return found;
  }

  /**
   * Gives the pieces back; a repeat changes nothing.
   * @param allow throws when it must not be given back as it is now; it is not called when nothing is held any more
   * @throws Problem 404 `reservation_not_found`, 409 when an order has it or its pieces are sold
   */
  release(key: ReservationKey, allow: (reservation: { version: number }) => void): Promise<void> {
    const wakeFilling = () => this.filling.expectNow();
    return releaseByClient({ database: this.database, wakeFilling }, key, allow);
  }

  list(page: ReservationsPage): Promise<ReservationEntity[]> {
    return queryReservations(this.reservations, page).getMany();
  }
}
