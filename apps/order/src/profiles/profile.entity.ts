/** A profile as a row. */
import { Column, Entity, PrimaryColumn, UpdateDateColumn, VersionColumn } from 'typeorm';
import type { Address, ProfileContent } from './profile';

@Entity('profile')
export class Profile implements ProfileContent {
  @PrimaryColumn('text')
  tenant: string;

  /** The `customerId` of the customer's orders. */
  @PrimaryColumn('text')
  id: string;

  /** The principal that made it. */
  @Column('text', { name: 'placed_by' })
  placedBy: string;

  @Column('text', { name: 'display_name' })
  displayName: string;

  @Column('text')
  email: string;

  @Column('text')
  locale: string;

  @Column('text', { nullable: true })
  phone: string | null;

  @Column('jsonb', { nullable: true })
  address: Address | null;

  /** Starts at 1. Each change through the repository adds one. */
  @VersionColumn()
  version: number;

  @UpdateDateColumn({ name: 'updated_at', type: 'timestamptz', select: false })
  updatedAt: Date;
}
