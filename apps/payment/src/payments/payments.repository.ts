/** The payments' table: every statement on it stands here. */
import assert from 'node:assert/strict';
import { type Database, rowsOf, type Statement, type Tx } from '@shop/postgres';
import type { Payment } from './payment';
import type { ChargeResult } from './provider';

interface Row {
  tenant: string;
  id: string;
  order_id: string | null;
  amount: number;
  currency: string;
  source: string;
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

export type NewPayment = Pick<Payment, 'tenant' | 'id' | 'orderId' | 'amount' | 'currency' | 'source'>;

export interface ChargeOutcome extends PaymentKey {
  status: 'succeeded' | 'declined';
  providerReference: string | null;
  declineReason: string | null;
}

export const PAYMENT_PRIMARY_KEY = 'payment_pkey';

export const paymentKey = ({ tenant, id }: PaymentKey): string => `${tenant}/${id}`;

/** By `paymentKey`. */
export async function loadPayments(tx: Tx, keys: readonly PaymentKey[]): Promise<Map<string, Payment>> {
  if (keys.length === 0) return new Map();
  const rows = await tx.query<Row>(selectMany, [keys.map(({ tenant }) => tenant), keys.map(({ id }) => id)]);
  return new Map(rows.map((row) => [paymentKey(row), paymentOf(row)]));
}

/** In key order, against deadlocks. One that is there already breaks the primary key, and the transaction. */
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

/** Answers when it was created; undefined, and nothing is written, if there is a payment with this id already. */
export async function createPayment(tx: Tx, payment: NewPayment): Promise<string | undefined> {
  const { tenant, id, orderId, amount, currency, source } = payment;
  const [row] = await tx.query<Pick<Row, 'created_at'>>(insertOne, [tenant, id, orderId, amount, currency, source]);
  return row?.created_at.toISOString();
}

/** Writes what the provider said of a payment that is pending, and answers the payment. */
export async function settlePayment(tx: Tx, { tenant, id }: PaymentKey, result: ChargeResult): Promise<Payment> {
  const values =
    result.outcome === 'succeeded' ? ['succeeded', result.reference, null] : ['declined', null, result.reason];
  const [row] = await tx.query<Row>(settleOne, [tenant, id, ...values]);
  assert(row, 'whoever holds the lease finds the payment pending');
  return paymentOf(row);
}

/** The payment, which until the end of the transaction nobody else can change. */
export async function lockPayment(tx: Tx, { tenant, id }: PaymentKey): Promise<Payment | undefined> {
  const [row] = await tx.query<Row>(lockOne, [tenant, id]);
  return row && paymentOf(row);
}

/** Sends that a part of the payment was given back; the table refuses more than was taken. */
export function addRefunded(tx: Tx, { tenant, id }: PaymentKey, amount: number): void {
  tx.send(addToRefunded, [tenant, id, amount]);
}

export function saveChargeOutcomes(tx: Tx, outcomes: readonly ChargeOutcome[]): void {
  if (outcomes.length === 0) return;
  const rows = outcomes.map(({ tenant, id, status, providerReference, declineReason }) => ({
    tenant,
    id,
    status,
    provider_reference: providerReference,
    decline_reason: declineReason,
  }));
  tx.send(updateCharged, [rowsOf(rows)]);
}

export function saveRefunds(tx: Tx, refunds: readonly (PaymentKey & { reference: string })[]): void {
  if (refunds.length === 0) return;
  tx.send(updateRefunded, [rowsOf(refunds.map(({ tenant, id, reference }) => ({ tenant, id, reference })))]);
}

export async function findPayment(database: Database, { tenant, id }: PaymentKey): Promise<Payment | undefined> {
  const [row] = await database.query<Row>(selectOne, [tenant, id]);
  return row && paymentOf(row);
}

/** Up to `limit` payments behind the id `after`, in order of id. */
export async function listPayments(
  database: Database,
  tenant: string,
  after: string,
  limit: number,
): Promise<Payment[]> {
  return (await database.query<Row>(selectPage, [tenant, after, limit])).map(paymentOf);
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

const selectOne: Statement = {
  name: 'payment.select-one',
  text: `select ${columns('p')} from payment p where p.tenant = $1 and p.id = $2`,
};

const selectMany: Statement = {
  name: 'payment.select-many',
  text: `
    select ${columns('p')}
    from unnest($1::text[], $2::text[]) as k (tenant, id)
    join payment p on p.tenant = k.tenant and p.id = k.id`,
};

const selectPage: Statement = {
  name: 'payment.select-page',
  text: `select ${columns('p')} from payment p where p.tenant = $1 and p.id > $2 order by p.id limit $3`,
};

const lockOne: Statement = { name: 'payment.lock-one', text: `${selectOne.text} for update` };

const insertOne: Statement = {
  name: 'payment.insert-one',
  text: `
    insert into payment (tenant, id, order_id, amount, currency, source, status)
    values ($1, $2, $3, $4, $5, $6, 'pending')
    on conflict (tenant, id) do nothing
    returning created_at`,
};

const settleOne: Statement = {
  name: 'payment.settle-one',
  text: `
    update payment p
    set status = $3, provider_reference = $4, decline_reason = $5, version = version + 1, updated_at = now()
    where p.tenant = $1 and p.id = $2 and p.status = 'pending'
    returning ${columns('p')}`,
};

const addToRefunded: Statement = {
  name: 'payment.add-to-refunded',
  text: `
    update payment
    set refunded = refunded + $3, version = version + 1, updated_at = now()
    where tenant = $1 and id = $2`,
};

const insertRows: Statement = {
  name: 'payment.insert',
  text: `
    insert into payment (tenant, id, order_id, amount, currency, source, status)
    select tenant, id, order_id, amount, currency, source, 'pending'
    from jsonb_to_recordset($1::jsonb) as n (
      tenant text, id text, order_id uuid, amount bigint, currency text, source text)
    order by tenant, id`,
};

// `status = …` would look selective to the planner, which then walks the table and searches the few rows given.
const updateCharged: Statement = {
  name: 'payment.update-charged',
  text: `
    update payment p
    set status = c.status, provider_reference = c.provider_reference, decline_reason = c.decline_reason,
        version = version + 1, updated_at = now()
    from jsonb_to_recordset($1::jsonb) as c (
      tenant text, id text, status text, provider_reference text, decline_reason text)
    where p.tenant = c.tenant and p.id = c.id and p.status not in ('succeeded', 'declined')`,
};

const updateRefunded: Statement = {
  name: 'payment.update-refunded',
  text: `
    update payment p
    set refunded = amount, refund_reference = r.reference, version = version + 1, updated_at = now()
    from jsonb_to_recordset($1::jsonb) as r (tenant text, id text, reference text)
    where p.tenant = r.tenant and p.id = r.id and p.status not in ('pending', 'declined')`,
};
