/** A capture as operators read it. Hand-written statements write captures. */
import { isoTime } from '@shop/postgres';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Capture } from './capture';

@Entity('capture')
export class CaptureEntity implements Capture {
  @PrimaryColumn('text')
  tenant: string;

  @PrimaryColumn('text')
  id: string;

  @Column('text', { name: 'payment_id' })
  paymentId: string;

  @Column('bigint')
  amount: number;

  @Column('boolean')
  final: boolean;

  @Column('text')
  status: Capture['status'];

  @Column('timestamptz', { name: 'created_at', transformer: isoTime })
  createdAt: string;
}
