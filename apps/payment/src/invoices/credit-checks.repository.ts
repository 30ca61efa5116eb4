/**
 * The table of orders whose refunds may need a credit note.
 *
 * Whoever makes a refund succeed, and whoever writes an invoice, touches the row of the order in its own transaction. So of
 * two that do it at once the second one waits for the commit of the first one, and a look behind both sees both.
 */
import type { Database, Statement, Tx } from '@shop/postgres';

export interface OrderKey {
  tenant: string;
  orderId: string;
}

/** An order that is held for a look. */
export interface DueCheck extends OrderKey {
  /** Looks that have failed so far. */
  attempts: number;
}

/** Sends that these orders have to be looked at. */
export function touchCreditChecks(tx: Tx, orders: readonly OrderKey[]): void {
  if (orders.length === 0) return;
  tx.send(touchMany, [orders.map(({ tenant }) => tenant), orders.map(({ orderId }) => orderId)]);
}

/** Holds up to `limit` orders whose time has come. Those that somebody holds or touches are left out. */
export async function holdDueChecks(tx: Tx, limit: number): Promise<DueCheck[]> {
  const rows = await tx.query<{ tenant: string; order_id: string; attempts: number }>(selectDue, [limit]);
  return rows.map(({ tenant, order_id: orderId, attempts }) => ({ tenant, orderId, attempts }));
}

/** Sends that these orders, which are held, were looked at. */
export function removeChecks(tx: Tx, orders: readonly OrderKey[]): void {
  if (orders.length === 0) return;
  tx.send(deleteMany, [orders.map(({ tenant }) => tenant), orders.map(({ orderId }) => orderId)]);
}

/** Puts a look off that has failed: each time for twice as long, up to ten minutes. */
export async function putCheckOff(database: Database, { tenant, orderId }: OrderKey, reason: string): Promise<void> {
  await database.query(putOff, [tenant, orderId, reason]);
}

const touchMany: Statement = {
  name: 'credit-check.touch-many',
  text: `
    insert into credit_check (tenant, order_id)
    select distinct tenant, order_id from unnest($1::text[], $2::uuid[]) as k (tenant, order_id) order by tenant, order_id
    on conflict (tenant, order_id) do update set look_at = now(), attempts = 0, last_error = null`,
};

const selectDue: Statement = {
  name: 'credit-check.select-due',
  text: `
    select tenant, order_id, attempts from credit_check where look_at <= now()
    order by look_at limit $1 for update skip locked`,
};

const deleteMany: Statement = {
  name: 'credit-check.delete-many',
  text: `
    delete from credit_check c using unnest($1::text[], $2::uuid[]) as k (tenant, order_id)
    where c.tenant = k.tenant and c.order_id = k.order_id`,
};

const putOff: Statement = {
  name: 'credit-check.put-off',
  text: `
    update credit_check
    set attempts = attempts + 1, last_error = $3,
        look_at = now() + least(interval '1 second' * power(2, least(attempts, 10)), interval '10 minutes')
    where tenant = $1 and order_id = $2`,
};
