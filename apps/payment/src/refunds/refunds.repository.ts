/** The table of refunds. Every statement of the transactions that make a refund is here. */
import assert from 'node:assert/strict';
import type { Statement, Tx } from '@shop/postgres';
import type { Refund } from './refund';

interface Row {
  tenant: string;
  id: string;
  payment_id: string;
  amount: number;
  status: Refund['status'];
  provider_reference: string | null;
  created_at: Date;
}

export interface RefundKey {
  tenant: string;
  id: string;
}

export async function findRefund(tx: Tx, { tenant, id }: RefundKey): Promise<Refund | undefined> {
  const [row] = await tx.query<Row>(selectOne, [tenant, id]);
  return row && refundOf(row);
}

/**
 * What refunds of the payment have given back or may still give back. The sum is exact only while the payment is
 * locked.
 */
export async function sumPromised(tx: Tx, tenant: string, paymentId: string): Promise<number> {
  const [row] = await tx.query<{ promised: number }>(selectPromised, [tenant, paymentId]);
  return row!.promised;
}

/** Sends a new pending refund. */
export function createRefund(
  tx: Tx,
  { tenant, id, paymentId, amount }: Pick<Refund, 'tenant' | 'id' | 'paymentId' | 'amount'>,
): void {
  tx.send(insertOne, [tenant, id, paymentId, amount]);
}

/** How long a refund has existed, by the clock of the database. */
export async function findRefundAgeMs(tx: Tx, { tenant, id }: RefundKey): Promise<number> {
  const [row] = await tx.query<{ age_ms: number }>(selectAge, [tenant, id]);
  return row!.age_ms;
}

/** Writes the outcome of a pending refund, and returns the refund. Without a reference, it has failed. */
export async function settleRefund(tx: Tx, { tenant, id }: RefundKey, reference: string | null): Promise<Refund> {
  const status: Refund['status'] = reference === null ? 'failed' : 'succeeded';
  const [row] = await tx.query<Row>(settleOne, [tenant, id, status, reference]);
  assert(row, 'whoever holds the lease finds the refund pending');
  return refundOf(row);
}

const refundOf = (row: Row): Refund => ({
  tenant: row.tenant,
  id: row.id,
  paymentId: row.payment_id,
  amount: row.amount,
  status: row.status,
  providerReference: row.provider_reference,
  createdAt: row.created_at.toISOString(),
});

const columns = 'tenant, id, payment_id, amount, status, provider_reference, created_at';

const selectOne: Statement = {
  name: 'refund.select-one',
  text: `select ${columns} from refund where tenant = $1 and id = $2`,
};

const selectPromised: Statement = {
  name: 'refund.select-promised',
  text: `
    select coalesce(sum(amount), 0)::bigint as promised
    from refund where tenant = $1 and payment_id = $2 and status <> 'failed'`,
};

const insertOne: Statement = {
  name: 'refund.insert',
  text: `
    insert into refund (tenant, id, payment_id, amount, status, created_at) values ($1, $2, $3, $4, 'pending', now())`,
};

const selectAge: Statement = {
  name: 'refund.select-age',
  text: `
    select (extract(epoch from now() - created_at) * 1000)::bigint as age_ms from refund where tenant = $1 and id = $2`,
};

const settleOne: Statement = {
  name: 'refund.settle',
  text: `
    update refund
    set status = $3, provider_reference = $4, updated_at = now()
    where tenant = $1 and id = $2 and status = 'pending'
    returning ${columns}`,
};
