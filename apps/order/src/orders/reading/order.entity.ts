/** An order as lists read it. The statements of orders.repository.ts place and move orders. */
import { absentIfNull, isoTime, isoTimeIfAny } from '@shop/postgres';
import { Column, Entity, PrimaryColumn, type ValueTransformer } from 'typeorm';
import { Money } from '../../products/product';
import type { NextAction } from '@shop/saga';
import type { Order, OrderItem, OrderPromotion, OrderStatus } from '../order';

class Total extends Money {
  @Column('bigint', { name: 'total_amount' })
  declare amount: number;

  @Column('text', { name: 'total_currency' })
  declare currency: string;
}

/** Without a promotion there is no discount, rather than one of nothing. */
const absentIfZero: ValueTransformer = {
  from: (amount: number) => amount || undefined,
  to: (amount?: number) => amount ?? 0,
};

@Entity('orders')
export class OrderEntity implements Order {
  @PrimaryColumn('text')
  tenant: string;

  @PrimaryColumn('uuid')
  id: string;

  @Column('text', { name: 'customer_id' })
  customerId: string;

  @Column('jsonb')
  items: OrderItem[];

  @Column(() => Total, { prefix: false })
  total: Money;

  @Column('bigint', { name: 'discount_amount', transformer: absentIfZero })
  discountAmount?: number;

  @Column('jsonb', { nullable: true, transformer: absentIfNull })
  promotions?: OrderPromotion[];

  @Column('text', { name: 'cart_id', nullable: true, transformer: absentIfNull })
  cartId?: string;

  @Column('uuid', { name: 'reservation_id', nullable: true, transformer: absentIfNull })
  reservationId?: string;

  @Column('text')
  status: OrderStatus;

  @Column('text', { nullable: true, transformer: absentIfNull })
  reason?: string;

  @Column('jsonb', { name: 'next_action', nullable: true, transformer: absentIfNull })
  nextAction?: NextAction;

  @Column('integer')
  version: number;

  @Column('timestamptz', { name: 'created_at', transformer: isoTime })
  createdAt: string;

  @Column('timestamptz', { name: 'updated_at', transformer: isoTime })
  updatedAt: string;

  @Column('timestamptz', { name: 'confirmed_at', nullable: true, transformer: isoTimeIfAny })
  confirmedAt?: string;

  @Column('timestamptz', { name: 'delivered_at', nullable: true, transformer: isoTimeIfAny })
  deliveredAt?: string;

  @Column('text', { name: 'cancellation_refused', nullable: true, transformer: absentIfNull })
  cancellationRefused?: string;

  @Column('text', { name: 'placed_by', nullable: true, transformer: absentIfNull })
  placedBy?: string;

  @Column('uuid', { name: 'saga_id' })
  sagaId: string;

  @Column('uuid', { name: 'cancel_saga_id', nullable: true, transformer: absentIfNull })
  cancelSagaId?: string;
}
