/**
 * Finds sagas by any id that an operator has at hand. Each kind of id is looked for by its own index, and where payment
 * has to be asked, the search does without it while it is away.
 */
import { Injectable } from '@nestjs/common';
import { PAYMENT_ID } from '@shop/contracts';
import { Database, queryBySummary, type Statement } from '@shop/postgres';
import { isUUID } from 'class-validator';
import { Neighbours } from '../../neighbours/neighbours';
import { placedAsOf } from '../placing/place-request';
import type { SearchedElsewhere } from './sagas.query';

export interface Found {
  /** Of sagas of any tenant: the list shows only those of the caller. */
  sagaIds: string[];
  degraded: SearchedElsewhere[];
}

/** Of a customer among whose orders are so many of the newest of all orders, only those are shown. */
const MANY_ORDERS = 100;
const NEWEST_ORDERS = 10_000;
/** The most orders of another customer. */
const MAX_ORDERS = 1_000;
/**
 * An idempotency key is one of a principal, and the search does not know which. So many are tried; a tenant whose
 * customers have tokens of their own may have more.
 */
const MAX_PRINCIPALS = 2_000;
/** What providers call things: `pi_…`, `re_…`. */
const REFERENCE = /^[a-z]{2,10}_\w{4,190}$/;

@Injectable()
export class SagaSearch {
  constructor(
    private readonly database: Database,
    private readonly neighbours: Neighbours,
  ) {}

  async find(tenant: string, text: string): Promise<Found> {
    const q = text.trim();
    const id = isUUID(q) ? q.toLowerCase() : undefined;
    const [elsewhere, byKey, byId] = await Promise.all([
      this.orderOfPayment(tenant, q),
      this.ordersOfKey(tenant, q),
      id ? this.database.query<OrderSagas>(selectSaga, [tenant, id]) : [],
    ]);
    const orders = [...elsewhere.orders, ...(id ? [id] : [])];
    const byOrder = orders.length > 0 ? await this.database.query<OrderSagas>(selectOfOrders, [tenant, orders]) : [];
    const exact = [...byId, ...byOrder, ...byKey.orders];
    // A customer is dear to look for, and what has one of the other ids is hardly one too.
    const found: Orders = exact.length > 0 ? { orders: exact, degraded: [] } : await this.ordersOfCustomer(tenant, q);
    return {
      sagaIds: [...new Set(found.orders.flatMap(({ sagas }) => sagas))],
      degraded: [...elsewhere.degraded, ...byKey.degraded, ...found.degraded],
    };
  }

  /** A customer with many orders is in every stretch of the table, so to look for all of them is to read it whole. */
  private async ordersOfCustomer(tenant: string, customerId: string): Promise<Orders> {
    const newest = await this.database.query<OrderSagas>(selectNewestOfCustomer, [tenant, customerId, NEWEST_ORDERS]);
    if (newest.length >= MANY_ORDERS) return { orders: newest, degraded: ['older-orders'] };
    const orders = await queryBySummary<OrderSagas>(this.database, selectOfCustomer, [tenant, customerId, MAX_ORDERS]);
    return { orders, degraded: orders.length === MAX_ORDERS ? ['older-orders'] : [] };
  }

  private async orderOfPayment(
    tenant: string,
    q: string,
  ): Promise<{ orders: string[]; degraded: SearchedElsewhere[] }> {
    if (!REFERENCE.test(q) && !PAYMENT_ID.test(q)) return { orders: [], degraded: [] };
    const found = await (PAYMENT_ID.test(q)
      ? this.neighbours.readOrderOfPayment(tenant, q)
      : this.neighbours.readOrdersOfReference(tenant, q));
    return found === 'away' ? { orders: [], degraded: ['payment'] } : { orders: found, degraded: [] };
  }

  /** An order keeps the hash of the claim under which it was placed, for good. */
  private async ordersOfKey(tenant: string, key: string): Promise<Orders> {
    const principals = await this.database.query<{ principal: string }>(selectPrincipals, [tenant, MAX_PRINCIPALS + 1]);
    const tried = principals.slice(0, MAX_PRINCIPALS);
    const names = tried.map(({ principal }) => placedAsOf(claimOf(tenant, principal, key)));
    const orders = names.length > 0 ? await this.database.query<OrderSagas>(selectPlacedAs, [tenant, names]) : [];
    return { orders, degraded: orders.length === 0 && principals.length > tried.length ? ['idempotency-keys'] : [] };
  }
}

interface OrderSagas {
  sagas: string[];
}

interface Orders {
  orders: OrderSagas[];
  degraded: SearchedElsewhere[];
}

const claimOf = (tenant: string, principal: string, key: string) => ({
  scope: `${tenant}|${principal}|POST /orders`,
  key,
});

const sagas = 'array_remove(array[saga_id, cancel_saga_id], null) as sagas';

const selectSaga: Statement = {
  name: 'saga.select-by-own-id',
  text: `select array[id] as sagas from saga where id = $2 and data ->> 'tenant' = $1`,
};

const selectOfOrders: Statement = {
  name: 'orders.select-sagas',
  text: `select ${sagas} from orders where tenant = $1 and id = any($2::uuid[])`,
};

const selectNewestOfCustomer: Statement = {
  name: 'orders.select-newest-sagas-of-customer',
  text: `
    with newest as materialized (
      select customer_id, saga_id, cancel_saga_id from orders
      where tenant || '' = $1 order by created_at desc, id desc limit $3)
    select ${sagas} from newest where customer_id = $2`,
};

/**
 * The customers have a summary of each stretch of the table, and no index that each order would pay for. It is read by
 * itself first: together with the tenant, a plan may walk over all orders of the tenant instead.
 */
const selectOfCustomer: Statement = {
  name: 'orders.select-sagas-of-customer',
  text: `
    with own as materialized (select tenant, saga_id, cancel_saga_id from orders where customer_id = $2 limit $3)
    select ${sagas} from own where tenant = $1`,
};

const selectPlacedAs: Statement = {
  name: 'orders.select-sagas-placed-as',
  text: `select ${sagas} from orders where placed_as = any($2::uuid[]) and tenant = $1`,
};

/** One step in the index for each principal, however many orders each has placed. */
const selectPrincipals: Statement = {
  name: 'orders.select-principals',
  text: `
    with recursive seen as (
      (select placed_by || '' as principal from orders
       where tenant || '' = $1 and placed_by is not null order by placed_by || '' limit 1)
      union all
      select (select placed_by || '' from orders
              where tenant || '' = $1 and placed_by is not null and placed_by || '' > seen.principal
              order by placed_by || '' limit 1)
      from seen where seen.principal is not null)
    select principal from seen where principal is not null limit $2`,
};
