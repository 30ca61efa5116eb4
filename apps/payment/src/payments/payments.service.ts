/** Reads payments, one or a page of them. */
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Database, queryBySummary, type Statement } from '@shop/postgres';
import { And, In, MoreThan, type Repository } from 'typeorm';
import { checkPaymentId, type Payment, paymentNotFound } from './payment';
import { PaymentEntity } from './payment.entity';

export interface PaymentsAsked {
  tenant: string;
  /** Only those of this order. */
  orderId?: string;
  /** Only those that the provider calls so, or one of whose refunds it calls so. */
  reference?: string;
  after: string;
  limit: number;
}

@Injectable()
export class PaymentsService {
  constructor(
    @InjectRepository(PaymentEntity) private readonly payments: Repository<PaymentEntity>,
    private readonly database: Database,
  ) {}

  /** Up to `limit` payments after the id `after`, in order of id. */
  async list({ tenant, orderId, reference, after, limit }: PaymentsAsked): Promise<Payment[]> {
    const behind = MoreThan(after);
    const id = reference === undefined ? behind : And(behind, In(await this.idsOf(reference)));
    const where = { tenant, id, ...(orderId === undefined ? {} : { orderId }) };
    return this.payments.find({ where, order: { id: 'ASC' }, take: limit });
  }

  /** @throws Problem 404 `payment_not_found` */
  async get(tenant: string, id: string): Promise<Payment> {
    const payment = await this.payments.findOneBy({ tenant, id: checkPaymentId(id) });
    if (!payment) throw paymentNotFound();
    return payment;
  }

  private async idsOf(reference: string): Promise<string[]> {
    const rows = await queryBySummary<{ id: string }>(this.database, selectByReference, [reference, MAX_OF_REFERENCE]);
    return rows.map(({ id }) => id);
  }
}

/** A reference is one of one payment. It could be in two tenants with providers of their own. */
const MAX_OF_REFERENCE = 100;

/**
 * By itself, without the tenant: there is no index with both, and a plan may walk over all payments of the tenant. The
 * references of payments have a summary of each stretch of the table, those of refunds have an index.
 */
const selectByReference: Statement = {
  name: 'payment.select-ids-by-reference',
  text: `
    (select id from payment where provider_reference = $1 limit $2)
    union (select payment_id from refund where provider_reference = $1 limit $2)`,
};
