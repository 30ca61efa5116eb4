/** The stock of a SKU as lists read it. Hand-written statements count and move stock, under locks. */
import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Stock } from './stock';

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

  @Column('bigint')
  awaited: number;

  @Column('bigint', { name: 'backorder_limit' })
  backorderLimit: number;

  @Column('integer', { name: 'customer_limit', nullable: true })
  customerLimit: number | null;

  @Column('jsonb', { nullable: true })
  components: { sku: string; quantity: number }[] | null;

  @Column('boolean')
  located: boolean;

  @Column('integer')
  version: number;
}
