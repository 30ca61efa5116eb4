/** The pieces of a SKU at one place, as they are shown. Hand-written statements count and move them, under locks. */
import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { StockPlace } from './stock';

@Entity('stock_place')
export class PlaceEntity implements StockPlace {
  @PrimaryColumn('text')
  tenant: string;

  @PrimaryColumn('text')
  sku: string;

  @PrimaryColumn('text')
  place: string;

  @Column('bigint', { name: 'on_hand' })
  onHand: number;

  @Column('bigint')
  reserved: number;
}
