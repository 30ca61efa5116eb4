/** A delivery as it is read over HTTP. Hand-written statements write deliveries. */
import { isoTime, isoTimeOrNull } from '@shop/postgres';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { DeliveryLine, DeliveryService, DeliveryStatus } from './delivery';

@Entity('delivery')
export class DeliveryEntity {
  @PrimaryColumn('text')
  tenant: string;

  @PrimaryColumn('text')
  id: string;

  @Column('uuid', { name: 'order_id' })
  orderId: string;

  @Column('text', { name: 'placed_by', nullable: true })
  placedBy: string | null;

  @Column('jsonb')
  lines: DeliveryLine[];

  @Column('text')
  status: DeliveryStatus;

  @Column('boolean', { name: 'stop_wanted' })
  stopWanted: boolean;

  @Column('text', { nullable: true })
  service: DeliveryService | null;

  @Column('text', { name: 'tracking_number', nullable: true })
  trackingNumber: string | null;

  @Column('text', { name: 'label_url', nullable: true })
  labelUrl: string | null;

  @Column('integer')
  attempts: number;

  @Column('text', { name: 'last_error', nullable: true })
  lastError: string | null;

  @Column('integer')
  version: number;

  @Column('timestamptz', { name: 'created_at', transformer: isoTime })
  createdAt: string;

  @Column('timestamptz', { name: 'handed_over_at', nullable: true, transformer: isoTimeOrNull })
  handedOverAt: string | null;

  @Column('timestamptz', { name: 'ended_at', nullable: true, transformer: isoTimeOrNull })
  endedAt: string | null;
}
