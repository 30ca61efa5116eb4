/** An event of the provider as operators read it. Hand-written statements write events. */
import { isoTime } from '@shop/postgres';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { EventStatus, StoredEvent } from './provider-event';

@Entity('provider_event')
export class ProviderEventEntity implements StoredEvent {
  @PrimaryColumn('text')
  id: string;

  @Column('text')
  type: string;

  @Column('text', { name: 'object_id' })
  objectId: string;

  @Column('text', { name: 'intent_id', nullable: true })
  intentId: string | null;

  @Column('text', { nullable: true })
  tenant: string | null;

  @Column('text', { name: 'payment_id', nullable: true })
  paymentId: string | null;

  @Column('timestamptz', { name: 'created_at', transformer: isoTime })
  createdAt: string;

  @Column('timestamptz', { name: 'received_at', transformer: isoTime })
  receivedAt: string;

  @Column('text')
  status: EventStatus;

  @Column('integer')
  attempts: number;

  @Column('timestamptz', { name: 'next_at', transformer: isoTime })
  nextAt: string;

  @Column('text', { name: 'last_error', nullable: true })
  lastError: string | null;
}
