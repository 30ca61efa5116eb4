/** The stock of a SKU as lists read it. Hand-written statements count and move stock, under locks. */
import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Stock } from './warehouse';

@Entity('stock')
export class StockEntity implements Stock {
  @PrimaryColumn('text')
  tenant: string;

  @PrimaryColumn('text')
  sku: string;

  @Column('bigint', { name: 'on_hand' })
  onHand: number;

  @Column('bigint')
  reserved: number;

  @Column('integer')
  version: number;
}
