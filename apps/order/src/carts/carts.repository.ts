/**
 * The statements of carts: what the entity cannot say, because one statement decides a race, or two tables change
 * together, or many carts are locked at once.
 *
 * The version of a cart is also that of its promotions: whoever changes them changes the version in the same statement,
 * and names the one that it changes. So nothing is lost between reading and writing, and who holds the lock of a cart
 * knows its promotions too.
 */
import { type Database, rowsOf, type Statement, type Tx } from '@shop/postgres';
import type { CartItem, CartKey, CartStatus } from './cart';

export interface NewCart extends CartKey {
  placedBy: string;
  customerId: string;
  items: readonly CartItem[];
}

/** What a change is about: this version, and no other. */
export interface CartVersion extends CartKey {
  version: number;
}

export interface MadeCart {
  version: number;
  createdAt: string;
}

/** Undefined if there is a cart already. One that was deleted goes on behind its last version. */
export async function insertCart(database: Database, cart: NewCart): Promise<MadeCart | undefined> {
  const { tenant, id, placedBy, customerId, items } = cart;
  const values = [tenant, id, placedBy, customerId, JSON.stringify(items)];
  const [row] = await database.query<{ version: number; created_at: Date }>(insertRow, values);
  return row && { version: row.version, createdAt: row.created_at.toISOString() };
}

/** Whether the cart still had this version. Then it is gone, with all that it tells of its customer. */
export async function emptyCart(database: Database, { tenant, id, version }: CartVersion): Promise<boolean> {
  return (await database.query(updateDeleted, [tenant, id, version])).length > 0;
}

/** Whether the cart still had this version. Then it has the promotion now. */
export async function addPromotion(database: Database, cart: CartVersion, code: string): Promise<boolean> {
  return (await database.query(insertPromotion, [cart.tenant, cart.id, cart.version, code])).length > 0;
}

/** Whether the cart still had this version. Then it has the promotion no more. */
export async function removePromotion(database: Database, cart: CartVersion, code: string): Promise<boolean> {
  return (await database.query(deletePromotion, [cart.tenant, cart.id, cart.version, code])).length > 0;
}

/** What an order is made of. */
export interface LockedCart extends CartKey {
  placedBy: string;
  customerId: string;
  items: CartItem[];
  status: CartStatus;
  /** Of a cart that was ordered. */
  orderId?: string;
  version: number;
  /** The codes of its promotions, in order. */
  promotions: string[];
}

interface LockedRow extends CartKey {
  placed_by: string;
  customer_id: string;
  items: CartItem[];
  status: CartStatus;
  order_id: string | null;
  version: number;
}

export const cartKey = ({ tenant, id }: CartKey): string => `${tenant}\n${id}`;

/**
 * Locks the carts for the rest of the transaction, in the order of their keys, and reads them with their promotions. One
 * that is being changed is read as it is behind the change. By `cartKey`; those that are not there are missing.
 */
export async function lockCarts(tx: Tx, keys: readonly CartKey[]): Promise<Map<string, LockedCart>> {
  if (keys.length === 0) return new Map();
  // Two orders may ask for one cart.
  const each = [...new Map(keys.map((key) => [cartKey(key), key])).values()];
  const values = [each.map(({ tenant }) => tenant), each.map(({ id }) => id)];
  const [rows, wanted] = await Promise.all([
    tx.query<LockedRow>(selectForUpdate, values),
    // Not in the statement above: it sees the promotions of the moment at which it began to wait for a lock.
    tx.query<CartKey & { code: string }>(selectCodes, values),
  ]);
  const carts = new Map<string, LockedCart>();
  for (const { placed_by, customer_id, order_id, ...row } of rows) {
    const orderId = order_id ?? undefined;
    carts.set(cartKey(row), { ...row, placedBy: placed_by, customerId: customer_id, orderId, promotions: [] });
  }
  for (const row of wanted) carts.get(cartKey(row))?.promotions.push(row.code);
  return carts;
}

/** Marks carts as ordered, whose locks this transaction holds. */
export function markOrdered(tx: Tx, ordered: readonly (CartKey & { orderId: string })[]): void {
  if (ordered.length === 0) return;
  tx.send(updateOrdered, [rowsOf(ordered.map(({ tenant, id, orderId }) => ({ tenant, id, order_id: orderId })))]);
}

const insertRow: Statement = {
  name: 'cart.insert',
  text: `
    insert into cart (tenant, id, placed_by, customer_id, items) values ($1, $2, $3, $4, $5::jsonb)
    on conflict (tenant, id) do update
    set placed_by = excluded.placed_by, customer_id = excluded.customer_id, items = excluded.items,
        version = cart.version + 1, deleted_at = null, created_at = now(), updated_at = now()
    where cart.deleted_at is not null
    returning version, created_at`,
};

const updateDeleted: Statement = {
  name: 'cart.update-deleted',
  text: `
    with emptied as (
      update cart
      set placed_by = '', customer_id = '', items = '[]', version = version + 1, deleted_at = now(), updated_at = now()
      where tenant = $1 and id = $2 and version = $3
      returning tenant, id, version
    ), removed as (
      delete from cart_promotion p using emptied e where p.tenant = e.tenant and p.cart_id = e.id
    )
    select version from emptied`,
};

/** The rest of the statement sees the cart only if it still had the version. */
const moved = `
    with moved as (
      update cart set version = version + 1, updated_at = now()
      where tenant = $1 and id = $2 and version = $3
      returning tenant, id, version
    )`;

const insertPromotion: Statement = {
  name: 'cart-promotion.insert',
  text: `${moved}, added as (
      insert into cart_promotion (tenant, cart_id, code) select tenant, id, $4 from moved
    )
    select version from moved`,
};

const deletePromotion: Statement = {
  name: 'cart-promotion.delete',
  text: `${moved}, removed as (
      delete from cart_promotion p using moved m where p.tenant = m.tenant and p.cart_id = m.id and p.code = $4
    )
    select version from moved`,
};

const selectForUpdate: Statement = {
  name: 'cart.lock',
  text: `
    select c.tenant, c.id, c.placed_by, c.customer_id, c.items, c.status, c.order_id, c.version
    from unnest($1::text[], $2::text[]) as w (tenant, id)
    join cart c on c.tenant = w.tenant and c.id = w.id
    where c.deleted_at is null
    order by c.tenant, c.id
    for update of c`,
};

const selectCodes: Statement = {
  name: 'cart.select-codes',
  text: `
    select p.tenant, p.cart_id as id, p.code
    from unnest($1::text[], $2::text[]) as w (tenant, id)
    join cart_promotion p on p.tenant = w.tenant and p.cart_id = w.id
    order by p.tenant, p.cart_id, p.code`,
};

const updateOrdered: Statement = {
  name: 'cart.update-ordered',
  text: `
    update cart c
    set status = 'ordered', order_id = o.order_id, version = c.version + 1, updated_at = now()
    from jsonb_to_recordset($1::jsonb) as o (tenant text, id text, order_id uuid)
    where c.tenant = o.tenant and c.id = o.id and c.status = 'open' and c.deleted_at is null`,
};
