/** The refunds' table: every statement on it stands here. */
import assert from 'node:assert/strict';
import type { Database, Statement, Tx } from '@shop/postgres';
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

export async function findRefund(from: Database | Tx, { tenant, id }: RefundKey): Promise<Refund | undefined> {
  const [row] = await from.query<Row>(selectOne, [tenant, id]);
  return row && refundOf(row);
}

/** Up to `limit` refunds of a payment behind the id `after`, in order of id. */
export async function listRefunds(
  database: Database,
  payment: { tenant: string; paymentId: string; after: string; limit: number },
): Promise<Refund[]> {
  const { tenant, paymentId, after, limit } = payment;
  return (await database.query<Row>(selectPage, [tenant, paymentId, after, limit])).map(refundOf);
}

/** What refunds of the payment have given back or may still give back. Exact only while the payment is locked. */
export async function sumPromised(tx: Tx, tenant: string, paymentId: string): Promise<number> {
  const [row] = await tx.query<{ promised: number }>(selectPromised, [tenant, paymentId]);
  return row!.promised;
}

/** A pending one; answers when it was created. */
export async function createRefund(
  tx: Tx,
  { tenant, id, paymentId, amount }: Pick<Refund, 'tenant' | 'id' | 'paymentId' | 'amount'>,
): Promise<string> {
  const [row] = await tx.query<Pick<Row, 'created_at'>>(insertOne, [tenant, id, paymentId, amount]);
  return row!.created_at.toISOString();
}

/** Writes what came of a refund that is pending, failed without a reference, and answers the refund. */
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

const selectPage: Statement = {
  name: 'refund.select-page',
  text: `select ${columns} from refund where tenant = $1 and payment_id = $2 and id > $3 order by id limit $4`,
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
    insert into refund (tenant, id, payment_id, amount, status) values ($1, $2, $3, $4, 'pending')
    returning created_at`,
};

const settleOne: Statement = {
  name: 'refund.settle',
  text: `
    update refund
    set status = $3, provider_reference = $4, updated_at = now()
    where tenant = $1 and id = $2 and status = 'pending'
    returning ${columns}`,
};
