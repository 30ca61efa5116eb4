/** A product of the catalogue as a row. */
import { Column, Entity, PrimaryColumn, UpdateDateColumn, VersionColumn } from 'typeorm';
import { Money, type ProductBody } from './product';

class Price extends Money {
  @Column('bigint', { name: 'price_amount' })
  declare amount: number;

  @Column('text', { name: 'price_currency' })
  declare currency: string;
}

@Entity('product')
export class Product implements ProductBody {
  @PrimaryColumn('text')
  tenant: string;

  @PrimaryColumn('text')
  sku: string;

  @Column('text')
  name: string;

  @Column(() => Price, { prefix: false })
  unitPrice: Money;

  /** Starts at 1. Each change through the repository adds one. */
  @VersionColumn()
  version: number;

  @UpdateDateColumn({ name: 'updated_at', type: 'timestamptz', select: false })
  updatedAt: Date;
}
