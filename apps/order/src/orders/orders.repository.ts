/** The table of orders. Every statement that writes it, or reads many orders at once, is here. */
import { bytea, type Database, rowsOf, type Statement, type Tx } from '@shop/postgres';
import type { NextAction } from '@shop/saga';
import type { Order, OrderItem, OrderPromotion, OrderStatus } from './order';

export interface NewOrder {
  order: Order;
  requestHash: Buffer;
  /** 32 hexadecimal digits: the natural key of an order without an id from the client. */
  placedAs?: string;
}

/** The id and the request hash of an order that was placed before. */
export interface PlacedOrder {
  id: string;
  requestHash: Buffer;
}

export interface OrderKey {
  tenant: string;
  id: string;
  /** When only an order of this principal is meant. */
  placedBy?: string;
}

export interface StatusChange extends OrderKey {
  status: OrderStatus;
  reason?: string;
  cancelSagaId?: string;
  /** Why it is confirmed again. */
  cancellationRefused?: string;
  /** What the customer has to do now. Without it, there is nothing to do any more. */
  nextAction?: NextAction;
}

interface Row {
  tenant: string;
  id: string;
  customer_id: string;
  items: OrderItem[];
  total_amount: number;
  total_currency: string;
  discount_amount: number;
  promotions: OrderPromotion[] | null;
  cart_id: string | null;
  reservation_id: string | null;
  status: OrderStatus;
  reason: string | null;
  request_hash: Buffer;
  saga_id: string;
  cancel_saga_id: string | null;
  version: number;
  placed_by: string | null;
  next_action: NextAction | null;
  created_at: Date;
  updated_at: Date;
  confirmed_at: Date | null;
  delivered_at: Date | null;
  cancellation_refused: string | null;
}

export const ORDERS_PRIMARY_KEY = 'orders_pkey';
export const ORDERS_NATURAL_KEY = 'orders_placed_as';

/**
 * `createdAt` of the orders is the time of this transaction.
 *
 * Inserts in the order of the keys that two replicas may share (request keys, then client ids), so that they never
 * deadlock.
 */
export function insertOrders(tx: Tx, orders: readonly NewOrder[]): void {
  if (orders.length === 0) return;
  const rows = orders.map(({ order, requestHash, placedAs }) => ({
    tenant: order.tenant,
    placed_by: order.placedBy,
    id: order.id,
    customer_id: order.customerId,
    items: order.items,
    total_amount: order.total.amount,
    total_currency: order.total.currency,
    discount_amount: order.discountAmount,
    promotions: order.promotions,
    cart_id: order.cartId,
    reservation_id: order.reservationId,
    request_hash: bytea(requestHash),
    placed_as: placedAs,
    saga_id: order.sagaId,
  }));
  tx.send(insertRows, [rowsOf(rows)]);
}

/**
 * Writes the order statuses that follow from transitions of sagas, in the order of the keys, as everybody who locks many
 * orders that are there.
 */
export function changeStatus(tx: Tx, changes: readonly StatusChange[]): void {
  if (changes.length === 0) return;
  const rows = changes
    .toSorted(byKey)
    .map(({ tenant, id, status, reason, cancelSagaId, cancellationRefused, nextAction }) => ({
      tenant,
      id,
      status,
      reason,
      cancel_saga_id: cancelSagaId,
      next_action: nextAction,
      cancellation_refused: cancellationRefused,
    }));
  tx.send(updateStatus, [rowsOf(rows)]);
}

/**
 * Writes that these orders have arrived, each once; an order that is not there is left out. Locked in key order, so that
 * two replicas which hear the same never deadlock.
 */
export async function markDelivered(tx: Tx, keys: readonly OrderKey[]): Promise<OrderKey[]> {
  if (keys.length === 0) return [];
  return tx.query<OrderKey>(updateDelivered, [keys.map(({ tenant }) => tenant), keys.map(({ id }) => id)]);
}

/** Sets a confirmed order to `cancelling` for exactly one caller. Returns whether it was this one. */
export async function startCancelling(
  tx: Tx,
  key: OrderKey,
  reason: string,
  cancelSagaId: string,
): Promise<Order | undefined> {
  const [row] = await tx.query<Row>(updateConfirmed, [key.tenant, key.id, reason, cancelSagaId]);
  return row && orderOf(row);
}

export async function findOrders(database: Database, keys: readonly OrderKey[]): Promise<(Order | undefined)[]> {
  const rows = await database.query<Row>(selectMany, [keys.map(({ tenant }) => tenant), keys.map(({ id }) => id)]);
  const found = new Map(rows.map((row) => [keyOf(row), orderOf(row)]));
  return keys.map((key) => found.get(keyOf(key)));
}

/** Whose these orders are, by id. */
export async function findCustomers(
  database: Database,
  tenant: string,
  ids: readonly string[],
): Promise<Map<string, string>> {
  if (ids.length === 0) return new Map();
  const rows = await database.query<{ id: string; customer_id: string }>(selectCustomers, [tenant, ids]);
  return new Map(rows.map(({ id, customer_id }) => [id, customer_id]));
}

/** The request hashes of existing orders, by `keyOf`. */
export async function loadRequestHashes(tx: Tx, keys: readonly OrderKey[]): Promise<Map<string, Buffer>> {
  if (keys.length === 0) return new Map();
  const rows = await tx.query<Row>(selectMany, [keys.map(({ tenant }) => tenant), keys.map(({ id }) => id)]);
  return new Map(rows.map((row) => [keyOf(row), row.request_hash]));
}

/** The orders that were placed under these natural keys, by key. */
export async function loadPlacedAs(tx: Tx, keys: readonly string[]): Promise<Map<string, PlacedOrder>> {
  if (keys.length === 0) return new Map();
  const rows = await tx.query<{ key: string; id: string; request_hash: Buffer }>(selectPlacedAs, [keys]);
  return new Map(rows.map(({ key, id, request_hash }) => [key, { id, requestHash: request_hash }]));
}

export const keyOf = ({ tenant, id }: OrderKey): string => `${tenant}/${id}`;

/** As the database sorts with the collation "C". */
const byKey = (a: OrderKey, b: OrderKey): number => compare(a.tenant, b.tenant) || compare(a.id, b.id);
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const orderOf = (row: Row): Order => ({
  id: row.id,
  tenant: row.tenant,
  placedBy: row.placed_by ?? undefined,
  customerId: row.customer_id,
  items: row.items,
  total: { amount: row.total_amount, currency: row.total_currency },
  discountAmount: row.discount_amount || undefined,
  promotions: row.promotions ?? undefined,
  cartId: row.cart_id ?? undefined,
  reservationId: row.reservation_id ?? undefined,
  status: row.status,
  reason: row.reason ?? undefined,
  nextAction: row.next_action ?? undefined,
  version: row.version,
  createdAt: row.created_at.toISOString(),
  updatedAt: row.updated_at.toISOString(),
  confirmedAt: row.confirmed_at?.toISOString(),
  deliveredAt: row.delivered_at?.toISOString(),
  cancellationRefused: row.cancellation_refused ?? undefined,
  sagaId: row.saga_id,
  cancelSagaId: row.cancel_saga_id ?? undefined,
});

const columns = `tenant, id, customer_id, items, total_amount, total_currency, discount_amount, promotions, cart_id,
  reservation_id, status, reason, request_hash, saga_id, cancel_saga_id, placed_by, next_action, version, created_at, updated_at,
  confirmed_at, delivered_at, cancellation_refused`;
const columnsOfO = columns.replace(/(\w+)/g, 'o.$1');

const insertRows: Statement = {
  name: 'orders.insert',
  text: `
    insert into orders (tenant, id, customer_id, items, total_amount, total_currency, status, request_hash, placed_as,
                        placed_by, saga_id, discount_amount, promotions, cart_id, reservation_id, created_at, updated_at)
    select tenant, id, customer_id, items, total_amount, total_currency, 'pending', request_hash, placed_as, placed_by, saga_id,
           coalesce(discount_amount, 0), promotions, cart_id, reservation_id, now(), now()
    from jsonb_to_recordset($1::jsonb) as o (
      tenant text, id uuid, customer_id text, items jsonb, total_amount bigint, total_currency text,
      request_hash bytea, placed_as uuid, placed_by text, saga_id uuid, discount_amount bigint, promotions jsonb,
      cart_id text, reservation_id uuid)
    order by placed_as nulls last, tenant, id`,
};

const updateStatus: Statement = {
  name: 'orders.update-status',
  text: `
    update orders o
    set status = c.status, reason = case when c.status <> 'confirmed' then coalesce(c.reason, o.reason) end,
        cancel_saga_id = coalesce(c.cancel_saga_id, o.cancel_saga_id), next_action = c.next_action,
        confirmed_at = case when c.status = 'confirmed' then coalesce(o.confirmed_at, now()) else o.confirmed_at end,
        cancellation_refused = coalesce(c.cancellation_refused, o.cancellation_refused),
        version = version + 1, updated_at = now()
    from jsonb_to_recordset($1::jsonb) as c (
      tenant text, id uuid, status text, reason text, cancel_saga_id uuid, next_action jsonb, cancellation_refused text)
    where o.tenant = c.tenant and o.id = c.id`,
};

const updateConfirmed: Statement = {
  name: 'orders.update-confirmed',
  text: `
    update orders
    set status = 'cancelling', reason = $3, cancel_saga_id = $4, version = version + 1, updated_at = now()
    where tenant = $1 and id = $2 and status = 'confirmed' and cancel_saga_id is null returning ${columns}`,
};

const updateDelivered: Statement = {
  name: 'orders.update-delivered',
  text: `
    with arrived as (
      select o.tenant, o.id
      from (select distinct tenant, id from unnest($1::text[], $2::uuid[]) as w (tenant, id)) k
      join orders o on o.tenant = k.tenant and o.id = k.id
      where o.delivered_at is null
      order by o.tenant collate "C", o.id
      for update of o
    )
    update orders o
    set delivered_at = now(), version = version + 1, updated_at = now()
    from arrived a
    where o.tenant = a.tenant and o.id = a.id
    returning o.tenant, o.id`,
};

const selectMany: Statement = {
  name: 'orders.select-many',
  text: `
    select ${columnsOfO}
    from unnest($1::text[], $2::uuid[]) as k (tenant, id)
    join orders o on o.tenant = k.tenant and o.id = k.id`,
};

const selectCustomers: Statement = {
  name: 'orders.select-customers',
  text: 'select id, customer_id from orders where tenant = $1 and id = any($2::uuid[])',
};

const selectPlacedAs: Statement = {
  name: 'orders.select-placed-as',
  text: `
    select k.key, o.id, o.request_hash
    from unnest($1::text[]) as k (key) join orders o on o.placed_as = k.key::uuid`,
};
