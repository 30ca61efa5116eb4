/** A reservation as clients read it. Hand-written statements make and end reservations, under locks. */
import { absentIfNull, isoTime, isoTimeOrNull } from '@shop/postgres';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { ReservationStatus } from '../stock/reservation';

@Entity('reservation')
export class ReservationEntity {
  @PrimaryColumn('text')
  tenant: string;

  @PrimaryColumn('uuid')
  id: string;

  @Column('text')
  status: ReservationStatus;

  @Column('jsonb')
  lines: { sku: string; quantity: number }[];

  @Column('jsonb', { nullable: true, transformer: absentIfNull })
  awaited?: { sku: string; quantity: number }[];

  @Column('timestamptz', { name: 'expires_at', nullable: true, transformer: isoTimeOrNull })
  expiresAt: string | null;

  @Column('uuid', { name: 'taken_by', nullable: true, transformer: absentIfNull })
  takenBy?: string;

  /** The principal that has made it; null if the saga of an order did. */
  @Column('text', { name: 'placed_by', nullable: true })
  placedBy: string | null;

  @Column('integer')
  version: number;

  @Column('timestamptz', { name: 'created_at', transformer: isoTime })
  createdAt: string;

  @Column('timestamptz', { name: 'updated_at', transformer: isoTime })
  updatedAt: string;
}
