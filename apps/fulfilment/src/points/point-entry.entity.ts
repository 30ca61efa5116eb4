/** An entry of points, as the list reads it. Statements write the entries. */
import { isoTime } from '@shop/postgres';
import { Column, Entity, PrimaryColumn } from 'typeorm';

export const entryKinds = ['earned', 'taken_back'] as const;
export type EntryKind = (typeof entryKinds)[number];

@Entity('point_entry')
export class PointEntry {
  @PrimaryColumn('text')
  tenant: string;

  @PrimaryColumn('uuid', { name: 'order_id' })
  orderId: string;

  @PrimaryColumn('text')
  kind: EntryKind;

  @Column('text', { name: 'customer_id' })
  customerId: string;

  /** The principal that placed the order. */
  @Column('text', { name: 'placed_by', nullable: true })
  placedBy: string | null;

  @Column('bigint')
  points: number;

  @Column('timestamptz', { transformer: isoTime })
  at: string;
}
