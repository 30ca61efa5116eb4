/** Reads notifications, and queues a parked one again when an operator says so. */
import { Inject, Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { answerWith, type Claim, Idempotency, type Outcome } from '@shop/idempotency';
import type { Caller } from '@shop/http';
import type { Logger } from '@shop/observability';
import { Problem } from '@shop/problem';
import { LOGGER } from '@shop/service';
import { MoreThan, type Repository } from 'typeorm';
import type { NotificationStatus } from './notification';
import { NotificationEntity } from './notification.entity';
import { notificationJson } from './notification.view';
import { lockStatus, queueAgain } from './notifications.repository';

export interface NotificationsPage {
  tenant: string;
  status?: NotificationStatus;
  orderId?: string;
  after: string;
  limit: number;
}

@Injectable()
export class NotificationsService {
  constructor(
    @InjectRepository(NotificationEntity) private readonly notifications: Repository<NotificationEntity>,
    private readonly idempotency: Idempotency,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Up to `limit` after the id `after`, in order of id. */
  list({ tenant, status, orderId, after, limit }: NotificationsPage): Promise<NotificationEntity[]> {
    const which = { ...(status !== undefined && { status }), ...(orderId !== undefined && { orderId }) };
    return this.notifications.find({
      where: { tenant, ...which, id: MoreThan(after) },
      order: { id: 'ASC' },
      take: limit,
    });
  }

  /** @throws Problem 404 `notification_not_found` */
  async get(tenant: string, id: string): Promise<NotificationEntity> {
    const found = await this.notifications.findOneBy({ tenant, id });
    if (!found) throw notFound();
    return found;
  }

  /** Refuses with 404 `notification_not_found` or 409 `notification_not_parked`. */
  async retry(claim: Claim, { tenant, principal }: Caller, id: string): Promise<Outcome> {
    const outcome = await this.idempotency.once(claim, async (tx) => {
      const status = await lockStatus(tx, tenant, id);
      if (status === undefined) throw notFound();
      if (status !== 'parked') throw notParked(status);
      return answerWith(200, notificationJson(await queueAgain(tx, tenant, id)));
    });
    if (outcome.kind === 'fresh' && outcome.answer.status === 200) {
      this.logger.info({ notificationId: id, by: `${tenant}/${principal}` }, 'notification.retried');
    }
    return outcome;
  }
}

const notFound = () => new Problem(404, 'notification_not_found', 'there is no such notification');

const notParked = (status: NotificationStatus) =>
  new Problem(409, 'notification_not_parked', 'only a parked notification can be queued again', {
    extensions: { was: status },
  });
