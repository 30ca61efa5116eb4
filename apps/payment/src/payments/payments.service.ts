/** Reads payments, one or a page of them. */
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { MoreThan, type Repository } from 'typeorm';
import { checkPaymentId, type Payment, paymentNotFound } from './payment';
import { PaymentEntity } from './payment.entity';

export interface PaymentsAsked {
  tenant: string;
  /** Only those of this order. */
  orderId?: string;
  after: string;
  limit: number;
}

@Injectable()
export class PaymentsService {
  constructor(@InjectRepository(PaymentEntity) private readonly payments: Repository<PaymentEntity>) {}

  /** Up to `limit` payments after the id `after`, in order of id. */
  list({ tenant, orderId, after, limit }: PaymentsAsked): Promise<Payment[]> {
    const where = { tenant, id: MoreThan(after), ...(orderId === undefined ? {} : { orderId }) };
    return this.payments.find({ where, order: { id: 'ASC' }, take: limit });
  }

  /** @throws Problem 404 `payment_not_found` */
  async get(tenant: string, id: string): Promise<Payment> {
    const payment = await this.payments.findOneBy({ tenant, id: checkPaymentId(id) });
    if (!payment) throw paymentNotFound();
    return payment;
  }
}
