/** The table of payments. Every statement that writes or locks payments, or reads many at once, is here. */
import assert from 'node:assert/strict';
import { rowsOf, type Statement, type Tx } from '@shop/postgres';
import type { Payment } from './payment';
import type { ChargeResult } from './provider';

interface Row {
  tenant: string;
  id: string;
  order_id: string | null;
  amount: number;
  currency: string;
  source: string | null;
  status: Payment['status'];
  decline_reason: string | null;
  provider_reference: string | null;
  refunded: number;
  version: number;
  created_at: Date;
}

export interface PaymentKey {
  tenant: string;
  id: string;
}

export type NewPayment = Pick<Payment, 'tenant' | 'id' | 'orderId' | 'amount' | 'currency'> & { source: string };

export const PAYMENT_PRIMARY_KEY = 'payment_pkey';

export const paymentKey = ({ tenant, id }: PaymentKey): string => `${tenant}/${id}`;

/** The payments by `paymentKey`. */
export async function loadPayments(tx: Tx, keys: readonly PaymentKey[]): Promise<Map<string, Payment>> {
  if (keys.length === 0) return new Map();
  const rows = await tx.query<Row>(selectMany, [keys.map(({ tenant }) => tenant), keys.map(({ id }) => id)]);
  return new Map(rows.map((row) => [paymentKey(row), paymentOf(row)]));
}

/** Inserts in key order, against deadlocks. A payment that exists fails the transaction by its primary key. */
export function insertPayments(tx: Tx, payments: readonly NewPayment[]): void {
  if (payments.length === 0) return;
  const rows = payments.map(({ tenant, id, orderId, amount, currency, source }) => ({
    tenant,
    id,
    order_id: orderId,
    amount,
    currency,
    source,
  }));
  tx.send(insertRows, [rowsOf(rows)]);
}

/** Returns false and writes nothing if there is a payment with this id already. */
export async function createPayment(tx: Tx, payment: NewPayment): Promise<boolean> {
  const { tenant, id, orderId, amount, currency, source } = payment;
  return (await tx.query(insertOne, [tenant, id, orderId, amount, currency, source])).length > 0;
}

/** How long a payment has existed, by the clock of the database. */
export async function findPaymentAgeMs(tx: Tx, { tenant, id }: PaymentKey): Promise<number> {
  const [row] = await tx.query<{ age_ms: number }>(selectAge, [tenant, id]);
  return row!.age_ms;
}

/**
 * Writes the provider's result of a pending payment, and returns the payment. Nobody asks the provider with the token any
 * more, so it is erased.
 */
export async function settlePayment(tx: Tx, key: PaymentKey, result: ChargeResult): Promise<Payment> {
  const [row] = await tx.query<Row>(settleOne, outcomeOf(key, result));
  assert(row, 'whoever holds the lease finds the payment pending');
  return paymentOf(row);
}

/** The same for many payments. It returns none of them. */
export function settlePayments(tx: Tx, settled: readonly { key: PaymentKey; result: ChargeResult }[]): void {
  const rows = settled.map(({ key, result }) => {
    const [tenant, id, status, providerReference, declineReason] = outcomeOf(key, result);
    return { tenant, id, status, provider_reference: providerReference, decline_reason: declineReason };
  });
  tx.send(settleMany, [rowsOf(rows)]);
}

function outcomeOf({ tenant, id }: PaymentKey, result: ChargeResult): (string | null)[] {
  return result.outcome === 'succeeded'
    ? [tenant, id, 'succeeded', result.reference, null]
    : [tenant, id, 'declined', null, result.reason];
}

/** The payment. Nobody else can change it until the end of the transaction. */
export async function lockPayment(tx: Tx, { tenant, id }: PaymentKey): Promise<Payment | undefined> {
  const [row] = await tx.query<Row>(lockOne, [tenant, id]);
  return row && paymentOf(row);
}

/**
 * Sends that a part of the payment was given back. The table refuses more than was taken.
 * @param reference of the refund of a whole payment, as the provider named it
 */
export function addRefunded(tx: Tx, { tenant, id }: PaymentKey, amount: number, reference?: string): void {
  tx.send(addToRefunded, [tenant, id, amount, reference]);
}

const paymentOf = (row: Row): Payment => ({
  tenant: row.tenant,
  id: row.id,
  orderId: row.order_id,
  amount: row.amount,
  currency: row.currency,
  source: row.source,
  status: row.status,
  declineReason: row.decline_reason,
  providerReference: row.provider_reference,
  refunded: row.refunded,
  version: row.version,
  createdAt: row.created_at.toISOString(),
});

const columns = (alias: string) =>
  [
    'tenant',
    'id',
    'order_id',
    'amount',
    'currency',
    'source',
    'status',
    'decline_reason',
    'provider_reference',
    'refunded',
    'version',
    'created_at',
  ]
    .map((column) => `${alias}.${column}`)
    .join(', ');

const selectMany: Statement = {
  name: 'payment.select-many',
  text: `
    select ${columns('p')}
    from unnest($1::text[], $2::text[]) as k (tenant, id)
    join payment p on p.tenant = k.tenant and p.id = k.id`,
};

const lockOne: Statement = {
  name: 'payment.lock-one',
  text: `select ${columns('p')} from payment p where p.tenant = $1 and p.id = $2 for update`,
};

// Ages decide whether the provider is asked. So `created_at` is written and measured by the same `now()`.
const insertOne: Statement = {
  name: 'payment.insert-one',
  text: `
    insert into payment (tenant, id, order_id, amount, currency, source, status, created_at)
    values ($1, $2, $3, $4, $5, $6, 'pending', now())
    on conflict (tenant, id) do nothing
    returning id`,
};

const selectAge: Statement = {
  name: 'payment.select-age',
  text: `
    select (extract(epoch from now() - created_at) * 1000)::bigint as age_ms from payment where tenant = $1 and id = $2`,
};

const settleOne: Statement = {
  name: 'payment.settle-one',
  text: `
    update payment p
    set status = $3, provider_reference = $4, decline_reason = $5, source = null, version = version + 1,
        updated_at = now()
    where p.tenant = $1 and p.id = $2 and p.status = 'pending'
    returning ${columns('p')}`,
};

// With `status = …`, the planner would expect few rows. It would walk the table and search the few given rows for each
// of them.
const settleMany: Statement = {
  name: 'payment.settle-many',
  text: `
    update payment p
    set status = c.status, provider_reference = c.provider_reference, decline_reason = c.decline_reason, source = null,
        version = version + 1, updated_at = now()
    from jsonb_to_recordset($1::jsonb) as c (
      tenant text, id text, status text, provider_reference text, decline_reason text)
    where p.tenant = c.tenant and p.id = c.id and p.status not in ('succeeded', 'declined')`,
};

const addToRefunded: Statement = {
  name: 'payment.add-to-refunded',
  text: `
    update payment
    set refunded = refunded + $3, refund_reference = coalesce($4, refund_reference), version = version + 1,
        updated_at = now()
    where tenant = $1 and id = $2`,
};

const insertRows: Statement = {
  name: 'payment.insert',
  text: `
    insert into payment (tenant, id, order_id, amount, currency, source, status, created_at)
    select tenant, id, order_id, amount, currency, source, 'pending', now()
    from jsonb_to_recordset($1::jsonb) as n (
      tenant text, id text, order_id uuid, amount bigint, currency text, source text)
    order by tenant, id`,
};
