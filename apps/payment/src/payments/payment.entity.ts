/** A payment as operators read it. Hand-written statements write payments. */
import { isoTime, isoTimeOrNull } from '@shop/postgres';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Payment } from './payment';

@Entity('payment')
export class PaymentEntity implements Payment {
  @PrimaryColumn('text')
  tenant: string;

  @PrimaryColumn('text')
  id: string;

  @Column('uuid', { name: 'order_id', nullable: true })
  orderId: string | null;

  @Column('text', { name: 'charge_id', nullable: true })
  chargeId: string | null;

  @Column('bigint')
  amount: number;

  @Column('text')
  currency: string;

  @Column('text', { nullable: true })
  source: string | null;

  @Column('text')
  status: Payment['status'];

  @Column('text', { name: 'waits_for', nullable: true })
  waitsFor: Payment['waitsFor'];

  @Column('text', { name: 'next_action_url', nullable: true })
  nextActionUrl: string | null;

  @Column('timestamptz', { name: 'expires_at', nullable: true, transformer: isoTimeOrNull })
  expiresAt: string | null;

  @Column('text', { name: 'decline_reason', nullable: true })
  declineReason: string | null;

  @Column('text', { name: 'provider_reference', nullable: true })
  providerReference: string | null;

  @Column('boolean')
  undone: boolean;

  @Column('bigint', { nullable: true })
  captured: number | null;

  @Column('bigint')
  refunded: number;

  @Column('bigint')
  disputed: number;

  @Column('integer')
  version: number;

  @Column('timestamptz', { name: 'created_at', transformer: isoTime })
  createdAt: string;
}
