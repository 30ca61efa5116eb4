/** An order as lists read it. The statements of orders.repository.ts place and move orders. */
import { absentIfNull, isoTime } from '@shop/postgres';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { Money } from '../../products/product';
import type { NextAction } from '@shop/saga';
import type { Order, OrderItem, OrderStatus } from '../order';

class Total extends Money {
  @Column('bigint', { name: 'total_amount' })
  declare amount: number;

  @Column('text', { name: 'total_currency' })
  declare currency: string;
}

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

  @Column('text', { name: 'placed_by', nullable: true, transformer: absentIfNull })
  placedBy?: string;

  @Column('uuid', { name: 'saga_id' })
  sagaId: string;

  @Column('uuid', { name: 'cancel_saga_id', nullable: true, transformer: absentIfNull })
  cancelSagaId?: string;
}
