/** Reads one refund of a payment, or a page of them. */
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Problem } from '@shop/problem';
import { MoreThan, type Repository } from 'typeorm';
import type { Refund } from './refund';
import { RefundEntity } from './refund.entity';

/** `rfd_` and the letters of a hash. */
const REFUND_ID = /^rfd_[\w-]{1,60}$/;

export interface RefundsPage {
  tenant: string;
  paymentId: string;
  after: string;
  limit: number;
}

@Injectable()
export class RefundsService {
  constructor(@InjectRepository(RefundEntity) private readonly refunds: Repository<RefundEntity>) {}

  /** Up to `limit` refunds of the payment after the id `after`, in order of id. */
  list({ tenant, paymentId, after, limit }: RefundsPage): Promise<Refund[]> {
    return this.refunds.find({ where: { tenant, paymentId, id: MoreThan(after) }, order: { id: 'ASC' }, take: limit });
  }

  /** @throws Problem 404 `refund_not_found`, also for a refund of another payment */
  async get(tenant: string, paymentId: string, id: string): Promise<Refund> {
    const refund = REFUND_ID.test(id) ? await this.refunds.findOneBy({ tenant, id }) : null;
    if (refund?.paymentId !== paymentId) {
      throw new Problem(404, 'refund_not_found', 'the payment has no refund with this id');
    }
    return refund;
  }
}
