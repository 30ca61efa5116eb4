/** Reads invoices and credit notes, one or a page of them. */
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { isVisible, type Reach } from '@shop/http';
import { MoreThan, type Repository } from 'typeorm';
import { type Invoice, type InvoiceKind, invoiceNotFound, placeIn } from './invoice';
import { InvoiceEntity } from './invoice.entity';

export interface InvoicesPage extends Reach {
  orderId?: string;
  kind?: InvoiceKind;
  /** The number behind which the page begins. */
  after: string;
  limit: number;
}

@Injectable()
export class InvoicesService {
  constructor(@InjectRepository(InvoiceEntity) private readonly invoices: Repository<InvoiceEntity>) {}

  /** Up to `limit` invoices after the number `after`, in order of their numbers as texts. */
  list({ after, limit, ...wanted }: InvoicesPage): Promise<Invoice[]> {
    const given = Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined));
    const where = { ...given, number: MoreThan(after) };
    return this.invoices.find({ where, order: { number: 'ASC' }, take: limit });
  }

  /** @throws Problem 404 `invoice_not_found`, also for one of another tenant or of somebody else */
  async get({ tenant, placedBy }: Reach, number: string): Promise<Invoice> {
    const invoice = placeIn(number) ? await this.invoices.findOneBy({ tenant, number }) : null;
    if (!invoice || !isVisible(invoice, { placedBy })) throw invoiceNotFound();
    return invoice;
  }
}
