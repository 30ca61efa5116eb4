/** Reads orders for lists, page by page. */
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { In, type Repository, type SelectQueryBuilder } from 'typeorm';
import type { Order, OrderStatus } from '../order';
import { OrderEntity } from './order.entity';

export interface SomeOrders extends Pick<OrdersPage, 'tenant' | 'placedBy' | 'status'> {
  ids: readonly string[];
}

export interface OrdersPage {
  tenant: string;
  /** Only those that this principal has placed. */
  placedBy?: string;
  status?: OrderStatus;
  before?: string;
  limit: number;
}

const createdAt = 'select c.created_at from orders c where c.tenant = :tenant and c.id = :before';

@Injectable()
export class OrdersListService {
  constructor(@InjectRepository(OrderEntity) private readonly orders: Repository<OrderEntity>) {}

  /**
   * Newest first, by the clock of the database; up to `limit` orders behind the order `before`. The ids tell nothing
   * about time: clients choose some of them, and the clocks of processes are in the others.
   */
  list(page: OrdersPage): Promise<Order[]> {
    return this.queryFor(page).getMany();
  }

  /** Those of these orders that are there, in the order of their ids. */
  some({ tenant, placedBy, status, ids }: SomeOrders): Promise<Order[]> {
    const where = {
      tenant,
      id: In([...ids]),
      ...(placedBy !== undefined && { placedBy }),
      ...(status !== undefined && { status }),
    };
    return this.orders.find({ where, order: { id: 'ASC' } });
  }

  /** The query is public for the tests, which check its plan. */
  queryFor({ tenant, placedBy, status, before, limit }: OrdersPage): SelectQueryBuilder<OrderEntity> {
    const query = this.orders.createQueryBuilder('o');
    // Only few orders are open. With the same words as the index of the open orders, the query uses that index. The
    // indexes of all orders have the words with `|| ''`.
    const isOpen = status === 'pending' || status === 'cancelling';
    query.where(isOpen ? 'o.tenant = :tenant' : `o.tenant || '' = :tenant`, { tenant });
    if (placedBy !== undefined)
      query.andWhere(isOpen ? 'o.placed_by = :placedBy' : `o.placed_by || '' = :placedBy`, { placedBy });
    if (before !== undefined)
      query.andWhere(`(o.created_at, o.id) < ((${createdAt}), cast(:before as uuid))`, { before });
    if (status !== undefined) query.andWhere('o.status = :status', { status });
    if (isOpen) query.andWhere("o.status in ('pending', 'cancelling')");
    return query.orderBy('o.createdAt', 'DESC').addOrderBy('o.id', 'DESC').limit(limit);
  }
}
