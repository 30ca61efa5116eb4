/** The tables of heard orders and refunds: what is known, and what is still to be seen to. */
import { type Database, isUniqueViolation, rowsOf, type Statement, type Tx } from '@shop/postgres';
import type { HeardRefund, OrderContent } from './effects';
import type { HeardOrder } from './hear';

export interface OrderKey {
  tenant: string;
  orderId: string;
}

/** A heard order, and what was read of it. */
export interface KnownOrder extends HeardOrder {
  /** Undefined until it was read. */
  content?: OrderContent;
  version: number;
  /** Looks at it that failed. */
  attempts: number;
}

interface Row {
  tenant: string;
  order_id: string;
  status: HeardOrder['status'];
  was_confirmed: boolean;
  earlier: boolean;
  amount: number | null;
  currency: string | null;
  reason: string | null;
  traceparent: string | null;
  customer_id: string | null;
  placed_by: string | null;
  lines: OrderContent['lines'] | null;
  version: number;
  attempts: number;
}

export const orderKey = ({ tenant, orderId }: OrderKey): string => `${tenant}/${orderId}`;

/** Two replicas have heard of a new order at once. The next run finds the row of the other one. */
export const isHeardElsewhere = (error: unknown): boolean => isUniqueViolation(error, 'heard_order_pkey');

/** Those that exist, locked in key order, by `orderKey`. */
export async function lockOrders(tx: Tx, keys: readonly OrderKey[]): Promise<Map<string, KnownOrder>> {
  const rows = await tx.query<Row>(selectForUpdate, columnsOf(keys));
  return new Map(rows.map(knownOf).map((order) => [orderKey(order), order]));
}

/** Writes what was heard, and that there is something to see to. */
export function saveHeard(tx: Tx, orders: readonly HeardOrder[], known: ReadonlyMap<string, KnownOrder>): void {
  const rowsWhere = (isKnown: boolean) => {
    const chosen = orders.filter((order) => known.has(orderKey(order)) === isKnown);
    return chosen.length > 0 ? rowsOf(chosen.map(rowOf)) : undefined;
  };
  const [changed, made] = [rowsWhere(true), rowsWhere(false)];
  if (changed) tx.send(updateHeard, [changed]);
  if (made) tx.send(insertHeard, [made]);
}

/** Those of before this service, with what was read of them. One of which something was heard already stays as it is. */
export function saveEarlier(tx: Tx, orders: readonly (HeardOrder & { content: OrderContent })[]): void {
  if (orders.length === 0) return;
  const rows = orders.map(({ content: { customerId, placedBy, lines }, ...order }) => ({
    ...rowOf(order),
    customer_id: customerId,
    placed_by: placedBy,
    lines,
  }));
  tx.send(insertEarlier, [rowsOf(rows)]);
}

export function saveRefunds(tx: Tx, refunds: readonly HeardRefund[]): void {
  if (refunds.length === 0) return;
  const rows = refunds.map(({ tenant, refundId, orderId, amount, currency }) => ({
    tenant,
    refund_id: refundId,
    order_id: orderId,
    amount,
    currency,
  }));
  tx.send(insertRefunds, [rowsOf(rows)]);
}

/** Takes up to `limit` orders whose time has come, and sets the time after which they are taken again. */
export async function takeDue(database: Database, limit: number, leaseSeconds: number): Promise<KnownOrder[]> {
  return (await database.query<Row>(updateDue, [limit, leaseSeconds])).map(knownOf);
}

/** The refunds of these orders of which nobody was told yet. */
export async function findOpenRefunds(tx: Tx, keys: readonly OrderKey[]): Promise<HeardRefund[]> {
  return tx.query<HeardRefund>(selectOpenRefunds, columnsOf(keys));
}

export interface SeenTo extends OrderKey {
  content: OrderContent;
  /** That of the row whose effects are written. If more was heard meanwhile, it stays due. */
  version: number;
}

/** These orders have all that follows. */
export function finish(tx: Tx, orders: readonly SeenTo[], refunds: readonly HeardRefund[]): void {
  const rows = orders.map(({ tenant, orderId, version, content: { customerId, placedBy, lines } }) => ({
    tenant,
    order_id: orderId,
    version,
    customer_id: customerId,
    placed_by: placedBy,
    lines,
  }));
  tx.send(updateSeenTo, [rowsOf(rows)]);
  if (refunds.length === 0) return;
  tx.send(updateRefundsDone, [refunds.map(({ tenant }) => tenant), refunds.map(({ refundId }) => refundId)]);
}

/** They are seen to again later, or with `null` not before something new is heard. */
export async function putOff(
  database: Database,
  keys: readonly OrderKey[],
  afterSeconds: number | null,
): Promise<void> {
  await database.query(updatePutOff, [...columnsOf(keys), afterSeconds]);
}

/** An order may become known at the very moment at which its refund is heard. Then nobody has seen that it is due. */
export async function wakeRefunds(database: Database): Promise<void> {
  await database.query(updateForgotten);
}

/** Milliseconds until the next one is due, at most `atMostMs`. */
export async function msUntilDue(database: Database, atMostMs: number): Promise<number> {
  const [row] = await database.query<{ ms: number }>(selectNextDue, [atMostMs]);
  return row?.ms ?? atMostMs;
}

const columnsOf = (keys: readonly OrderKey[]): [string[], string[]] => [
  keys.map(({ tenant }) => tenant),
  keys.map(({ orderId }) => orderId),
];

const rowOf = ({ tenant, orderId, status, wasConfirmed, earlier, amount, currency, reason, trace }: HeardOrder) => ({
  tenant,
  order_id: orderId,
  status,
  was_confirmed: wasConfirmed,
  earlier,
  amount,
  currency,
  reason,
  traceparent: trace,
});

function knownOf(row: Row): KnownOrder {
  const { tenant, order_id: orderId, status, was_confirmed: wasConfirmed, earlier, lines, version, attempts } = row;
  const content = lines
    ? { lines, customerId: row.customer_id ?? undefined, placedBy: row.placed_by ?? undefined }
    : undefined;
  const { amount, currency, reason, traceparent } = row;
  return {
    ...{ tenant, orderId, status, wasConfirmed, earlier, version, attempts, content },
    ...{ amount: amount ?? undefined, currency: currency ?? undefined, reason: reason ?? undefined },
    trace: traceparent ?? undefined,
  };
}

const columns = `h.tenant, h.order_id, h.status, h.was_confirmed, h.earlier, h.amount::float8 as amount, h.currency,
  h.reason, h.traceparent, h.customer_id, h.placed_by, h.lines, h.version, h.attempts`;

const selectForUpdate: Statement = {
  name: 'heard-order.lock',
  text: `
    select ${columns}
    from heard_order h
    join unnest($1::text[], $2::uuid[]) as wanted (tenant, order_id) using (tenant, order_id)
    order by h.tenant, h.order_id
    for update of h`,
};

const heard = `jsonb_to_recordset($1) as row (tenant text, order_id uuid, status text, was_confirmed boolean,
  earlier boolean, amount bigint, currency text, reason text, traceparent text`;

const insertHeard: Statement = {
  name: 'heard-order.insert',
  text: `
    insert into heard_order (tenant, order_id, status, was_confirmed, earlier, amount, currency, reason, traceparent)
    select tenant, order_id, status, was_confirmed, earlier, amount, currency, reason, traceparent
    from ${heard})
    order by tenant, order_id`,
};

const insertEarlier: Statement = {
  name: 'heard-order.insert-earlier',
  text: `
    insert into heard_order (tenant, order_id, status, was_confirmed, earlier, amount, currency, reason, customer_id,
                             placed_by, lines)
    select tenant, order_id, status, was_confirmed, earlier, amount, currency, reason, customer_id, placed_by, lines
    from ${heard}, customer_id text, placed_by text, lines jsonb)
    order by tenant, order_id
    on conflict do nothing`,
};

const updateHeard: Statement = {
  name: 'heard-order.update',
  text: `
    update heard_order h
    set status = row.status, was_confirmed = row.was_confirmed, earlier = row.earlier, amount = row.amount,
        currency = row.currency, reason = row.reason, traceparent = row.traceparent, version = h.version + 1, attempts = 0, due_at = now()
    from ${heard})
    where h.tenant = row.tenant and h.order_id = row.order_id`,
};

const insertRefunds: Statement = {
  name: 'heard-refund.insert',
  text: `
    insert into heard_refund (tenant, refund_id, order_id, amount, currency)
    select tenant, refund_id, order_id, amount, currency
    from jsonb_to_recordset($1)
      as row (tenant text, refund_id text, order_id uuid, amount bigint, currency text)
    order by tenant, refund_id
    on conflict do nothing`,
};

// The next one that looks leaves them to this one, for as long as the lease.
const updateDue: Statement = {
  name: 'heard-order.take-due',
  text: `
    with due as materialized (
      select tenant, order_id from heard_order
      where due_at <= now()
      order by due_at
      limit $1
      for update skip locked
    )
    update heard_order h
    set due_at = now() + make_interval(secs => $2), attempts = h.attempts + 1
    from due
    where h.tenant = due.tenant and h.order_id = due.order_id
    returning ${columns}`,
};

const selectOpenRefunds: Statement = {
  name: 'heard-refund.open',
  text: `
    select tenant, refund_id as "refundId", order_id as "orderId", amount::float8 as amount, currency
    from heard_refund
    join unnest($1::text[], $2::uuid[]) as wanted (tenant, order_id) using (tenant, order_id)
    where not done
    order by tenant, refund_id`,
};

const updateSeenTo: Statement = {
  name: 'heard-order.finish',
  text: `
    update heard_order h
    set customer_id = row.customer_id, placed_by = row.placed_by, lines = row.lines,
        due_at = case when h.version = row.version then null else now() end,
        attempts = 0
    from jsonb_to_recordset($1)
      as row (tenant text, order_id uuid, version int, customer_id text, placed_by text, lines jsonb)
    where h.tenant = row.tenant and h.order_id = row.order_id`,
};

const updateRefundsDone: Statement = {
  name: 'heard-refund.done',
  text: `
    update heard_refund r set done = true
    from unnest($1::text[], $2::text[]) as told (tenant, refund_id)
    where r.tenant = told.tenant and r.refund_id = told.refund_id`,
};

const updatePutOff: Statement = {
  name: 'heard-order.put-off',
  text: `
    update heard_order h
    set due_at = case when $3::float8 is not null then now() + make_interval(secs => $3) end
    from unnest($1::text[], $2::uuid[]) as later (tenant, order_id)
    where h.tenant = later.tenant and h.order_id = later.order_id`,
};

const updateForgotten: Statement = {
  name: 'heard-refund.wake',
  text: `
    update heard_order h
    set due_at = now(), version = h.version + 1
    from heard_refund r
    where not r.done and r.tenant = h.tenant and r.order_id = h.order_id and h.due_at is null
      and r.heard_at < now() - interval '1 second'`,
};

const selectNextDue: Statement = {
  name: 'heard-order.next-due',
  text: `
    select least($1, extract(epoch from greatest(min(due_at), now()) - now()) * 1000)::float8 as ms
    from heard_order
    where due_at is not null
    having count(*) > 0`,
};
