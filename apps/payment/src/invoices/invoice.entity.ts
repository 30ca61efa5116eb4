/** An invoice as it is read. Hand-written statements write invoices. */
import { isoTime } from '@shop/postgres';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Invoice, InvoiceKind, InvoiceOrigin } from './invoice';
import type { InvoiceLine, TaxOfRate, Totals } from './totals';

@Entity('invoice')
export class InvoiceEntity implements Invoice {
  @PrimaryColumn('text')
  tenant: string;

  @PrimaryColumn('text')
  number: string;

  @Column('text')
  kind: InvoiceKind;

  @Column('text')
  origin: InvoiceOrigin;

  @Column('uuid', { name: 'order_id', nullable: true })
  orderId: string | null;

  @Column('text', { name: 'placed_by', nullable: true })
  placedBy: string | null;

  @Column('text')
  currency: string;

  @Column('jsonb')
  lines: InvoiceLine[];

  @Column('jsonb')
  rates: TaxOfRate[];

  @Column('bigint')
  gross: number;

  @Column('bigint')
  net: number;

  @Column('bigint')
  tax: number;

  @Column('text', { nullable: true })
  credits: string | null;

  @Column('text', { name: 'refund_id', nullable: true })
  refundId: string | null;

  @Column('timestamptz', { name: 'issued_at', transformer: isoTime })
  issuedAt: string;

  @Column('integer')
  version: number;

  get totals(): Totals {
    const { gross, net, tax, rates } = this;
    return { gross, net, tax, rates };
  }
}
