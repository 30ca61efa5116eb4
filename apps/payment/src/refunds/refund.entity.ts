/** A refund as operators read it. Hand-written statements write refunds. */
import { isoTime } from '@shop/postgres';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Refund } from './refund';

@Entity('refund')
export class RefundEntity implements Refund {
  @PrimaryColumn('text')
  tenant: string;

  @PrimaryColumn('text')
  id: string;

  @Column('text', { name: 'payment_id' })
  paymentId: string;

  @Column('bigint')
  amount: number;

  @Column('text')
  cause: Refund['cause'];

  @Column('text')
  status: Refund['status'];

  @Column('text', { name: 'provider_reference', nullable: true })
  providerReference: string | null;

  @Column('timestamptz', { name: 'created_at', transformer: isoTime })
  createdAt: string;
}
