/** A cart as a row, with the promotions that its customer wants. */
import { absentIfNull, isoTime } from '@shop/postgres';
import { Column, DeleteDateColumn, Entity, JoinColumn, ManyToOne, OneToMany, PrimaryColumn } from 'typeorm';
import type { CartItem, CartStatus } from './cart';

@Entity('cart')
export class Cart {
  @PrimaryColumn('text')
  tenant: string;

  @PrimaryColumn('text')
  id: string;

  @Column('text', { name: 'placed_by' })
  placedBy: string;

  @Column('text', { name: 'customer_id' })
  customerId: string;

  @Column('jsonb')
  items: CartItem[];

  @Column('text')
  status: CartStatus;

  /** The order that was made of it. */
  @Column('uuid', { name: 'order_id', nullable: true, transformer: absentIfNull })
  orderId?: string;

  /** Also the version of its promotions. Each change names the version that it changes, and adds one. */
  @Column('integer')
  version: number;

  /** Finds leave out the rows with it. Statements have to do so themselves. */
  @DeleteDateColumn({ name: 'deleted_at', type: 'timestamptz', select: false })
  deletedAt?: Date | null;

  @Column('timestamptz', { name: 'created_at', transformer: isoTime })
  createdAt: string;

  @Column('timestamptz', { name: 'updated_at', transformer: isoTime })
  updatedAt: string;

  @OneToMany(() => CartPromotion, ({ cart }) => cart)
  promotions: CartPromotion[];
}

@Entity('cart_promotion')
export class CartPromotion {
  @PrimaryColumn('text')
  tenant: string;

  @PrimaryColumn('text', { name: 'cart_id' })
  cartId: string;

  @PrimaryColumn('text')
  code: string;

  @ManyToOne(() => Cart, ({ promotions }) => promotions)
  @JoinColumn([
    { name: 'tenant', referencedColumnName: 'tenant' },
    { name: 'cart_id', referencedColumnName: 'id' },
  ])
  cart: Cart;
}
