/** A dispute as operators read it. Hand-written statements write disputes. */
import { isoTime, isoTimeOrNull } from '@shop/postgres';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Dispute } from './dispute';

@Entity('dispute')
export class DisputeEntity implements Dispute {
  @PrimaryColumn('text')
  tenant: string;

  @PrimaryColumn('text')
  id: string;

  @Column('text', { name: 'payment_id' })
  paymentId: string;

  @Column('bigint')
  amount: number;

  @Column('text')
  currency: string;

  @Column('text')
  reason: string;

  @Column('text')
  status: Dispute['status'];

  @Column('timestamptz', { name: 'opened_at', transformer: isoTime })
  openedAt: string;

  @Column('timestamptz', { name: 'closed_at', nullable: true, transformer: isoTimeOrNull })
  closedAt: string | null;
}
