/** A promotion as a row. `used` is changed by the statements of promotion-uses.repository.ts alone. */
import { absentIfNull } from '@shop/postgres';
import { Column, DeleteDateColumn, Entity, PrimaryColumn, UpdateDateColumn } from 'typeorm';
import type { PromotionKind, PromotionTerms } from './promotion';

@Entity('promotion')
export class Promotion implements PromotionTerms {
  @PrimaryColumn('text')
  tenant: string;

  @PrimaryColumn('text')
  code: string;

  @Column('text')
  kind: PromotionKind;

  @Column('integer', { nullable: true, transformer: absentIfNull })
  percent?: number;

  @Column('bigint', { nullable: true, transformer: absentIfNull })
  amount?: number;

  @Column('text', { nullable: true, transformer: absentIfNull })
  currency?: string;

  @Column('jsonb', { nullable: true, transformer: absentIfNull })
  skus?: string[];

  @Column('bigint', { nullable: true, transformer: absentIfNull })
  minimum?: number;

  @Column('timestamptz', { name: 'starts_at', nullable: true, transformer: absentIfNull })
  startsAt?: Date;

  @Column('timestamptz', { name: 'ends_at', nullable: true, transformer: absentIfNull })
  endsAt?: Date;

  @Column('integer', { name: 'max_uses', nullable: true, transformer: absentIfNull })
  maxUses?: number;

  @Column('integer', { name: 'max_uses_per_customer', nullable: true, transformer: absentIfNull })
  maxUsesPerCustomer?: number;

  @Column('boolean')
  combinable: boolean;

  @Column('integer', { default: 0 })
  used: number;

  /** Counts the changes of the terms, and not the uses. */
  @Column('integer', { default: 1 })
  version: number;

  /** Finds leave out the rows with it. */
  @DeleteDateColumn({ name: 'deleted_at', type: 'timestamptz', select: false })
  deletedAt?: Date | null;

  @UpdateDateColumn({ name: 'updated_at', type: 'timestamptz', select: false })
  updatedAt: Date;
}
