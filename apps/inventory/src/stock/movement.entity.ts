/** A change of the number on hand, as the list of movements reads it. The statements of stock write movements. */
import { isoTime } from '@shop/postgres';
import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity('stock_movement')
export class MovementEntity {
  @PrimaryColumn('bigint')
  id: number;

  @Column('text')
  tenant: string;

  @Column('text')
  sku: string;

  @Column('bigint')
  delta: number;

  @Column('text')
  reason: string;

  /** The reservation it was sold from or returned to; PUT for a count; POST and a hash for an adjustment. */
  @Column('text')
  cause: string;

  @Column('text', { nullable: true })
  place: string | null;

  @Column('timestamptz', { transformer: isoTime })
  at: string;
}
