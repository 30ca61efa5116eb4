/** A notification as operators read it. Hand-written statements write notifications. */
import { isoTime, isoTimeOrNull } from '@shop/postgres';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { NotificationStatus, Template } from './notification';

@Entity('notification')
export class NotificationEntity {
  @PrimaryColumn('text')
  tenant: string;

  @PrimaryColumn('text')
  id: string;

  @Column('text', { name: 'customer_id' })
  customerId: string;

  @Column('text')
  template: Template;

  @Column('text')
  cause: string;

  @Column('uuid', { name: 'order_id' })
  orderId: string;

  @Column('text')
  status: NotificationStatus;

  @Column('text', { nullable: true })
  reason: string | null;

  @Column('integer')
  attempts: number;

  @Column('timestamptz', { name: 'next_attempt_at', transformer: isoTime })
  nextAttemptAt: string;

  @Column('timestamptz', { name: 'created_at', transformer: isoTime })
  createdAt: string;

  @Column('timestamptz', { name: 'sent_at', nullable: true, transformer: isoTimeOrNull })
  sentAt: string | null;
}
