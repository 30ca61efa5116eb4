/** Reads deliveries, one or a page of them, and lets operators try a parked one again. */
import { Inject, Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { DELIVERY_ID } from '@shop/contracts';
import type { Reach } from '@shop/http';
import { answerWith, type Claim, Idempotency, type Outcome } from '@shop/idempotency';
import type { Logger } from '@shop/observability';
import { Problem } from '@shop/problem';
import { LOGGER } from '@shop/service';
import type { Repository, SelectQueryBuilder } from 'typeorm';
import { lockDelivery, unpark } from './deliveries.repository';
import { deliveryIdOf, type DeliveryKey, type DeliveryStatus } from './delivery';
import { DeliveryEntity } from './delivery.entity';
import { DeliveryWorker } from './delivery-worker';

export interface DeliveriesAsked {
  reach: Reach;
  orderId?: string;
  status?: DeliveryStatus;
  after: string;
  limit: number;
}

@Injectable()
export class DeliveriesService {
  constructor(
    @InjectRepository(DeliveryEntity) private readonly deliveries: Repository<DeliveryEntity>,
    private readonly idempotency: Idempotency,
    private readonly worker: DeliveryWorker,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Up to `limit` deliveries after the id `after`, in order of id. */
  async list({ reach, orderId, status, after, limit }: DeliveriesAsked): Promise<DeliveryEntity[]> {
    const query = this.within(reach).andWhere('d.id > :after', { after }).orderBy('d.id').take(limit);
    if (orderId !== undefined) query.andWhere('d.id = :id', { id: deliveryIdOf({ tenant: reach.tenant, orderId }) });
    if (status !== undefined) query.andWhere('d.status = :status', { status });
    return (await query.getMany()).map((delivery) => shownTo(reach, delivery));
  }

  /** @throws Problem 404 `delivery_not_found`, also for one that the caller may not see */
  async get(reach: Reach, id: string): Promise<DeliveryEntity> {
    const found = DELIVERY_ID.test(id) ? await this.within(reach).andWhere('d.id = :id', { id }).getOne() : null;
    if (!found) throw notFound();
    return shownTo(reach, found);
  }

  /** The answer to a problem: 404 `delivery_not_found`, or 409 `delivery_not_parked`. */
  async retry(claim: Claim, key: DeliveryKey): Promise<Outcome> {
    const outcome = await this.idempotency.once(claim, async (tx) => {
      const delivery = DELIVERY_ID.test(key.id) ? await lockDelivery(tx, key) : undefined;
      if (!delivery) throw notFound();
      // One whose stop is under way is left to the stop.
      if (delivery.status !== 'parked' || delivery.stopWanted) {
        throw new Problem(409, 'delivery_not_parked', 'only a delivery that is parked can be tried again');
      }
      unpark(tx, key);
      tx.afterCommit(() => this.worker.wake());
      return answerWith(200, { id: key.id, status: 'waiting' });
    });
    if (outcome.kind === 'fresh' && outcome.answer.status === 200) {
      this.logger.info({ deliveryId: key.id }, 'delivery.retried');
    }
    return outcome;
  }

  /** A customer sees the deliveries of the orders that it has placed, once it is known who has placed them. */
  private within({ tenant, placedBy }: Reach): SelectQueryBuilder<DeliveryEntity> {
    const query = this.deliveries.createQueryBuilder('d').where('d.tenant = :tenant', { tenant });
    return placedBy === undefined ? query : query.andWhere('d.placed_by = :placedBy', { placedBy });
  }
}

/** The label has an address on it, for whoever packs. */
const shownTo = ({ placedBy }: Reach, delivery: DeliveryEntity): DeliveryEntity =>
  placedBy === undefined ? delivery : { ...delivery, labelUrl: null };

const notFound = () => new Problem(404, 'delivery_not_found', 'there is no such delivery');
