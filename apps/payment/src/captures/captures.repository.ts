/** The table of captures. Every statement of the transactions that make a capture is here. */
import assert from 'node:assert/strict';
import type { Statement, Tx } from '@shop/postgres';
import type { Payment } from '../payments/payment';
import { paymentColumns, type PaymentKey, paymentOf, type PaymentRow } from '../payments/payments.repository';
import type { Capture, OtherCaptures } from './capture';

interface Row {
  tenant: string;
  id: string;
  payment_id: string;
  amount: number;
  final: boolean;
  status: Capture['status'];
  created_at: Date;
}

export interface CaptureKey {
  tenant: string;
  id: string;
}

/** The payment, locked, and whether the time is over for which its money was held. */
export async function lockHeld(
  tx: Tx,
  { tenant, id }: PaymentKey,
): Promise<(Payment & { isExpired: boolean }) | undefined> {
  const [row] = await tx.query<PaymentRow & { is_expired: boolean }>(lockOne, [tenant, id]);
  return row && { ...paymentOf(row), isExpired: row.is_expired };
}

/** What the captures of a payment tell. It is exact only while the payment is locked. */
export async function sumCaptures(tx: Tx, tenant: string, paymentId: string): Promise<OtherCaptures> {
  const [row] = await tx.query<{ promised: number; pending: number; count: number; has_final: boolean }>(selectSums, [
    tenant,
    paymentId,
  ]);
  const { promised, pending, count, has_final: hasFinal } = row!;
  return { promised, pending, count, hasFinal };
}

export async function findCapture(tx: Tx, { tenant, id }: CaptureKey): Promise<Capture | undefined> {
  const [row] = await tx.query<Row>(selectOne, [tenant, id]);
  return row && captureOf(row);
}

/** How long a capture has existed, by the clock of the database. */
export async function findCaptureAgeMs(tx: Tx, { tenant, id }: CaptureKey): Promise<number> {
  const [row] = await tx.query<{ age_ms: number }>(selectAge, [tenant, id]);
  return row!.age_ms;
}

/** Sends a new pending capture. */
export function createCapture(
  tx: Tx,
  { tenant, id, paymentId, amount, final }: Omit<Capture, 'status' | 'createdAt'>,
): void {
  tx.send(insertOne, [tenant, id, paymentId, amount, final]);
}

/** Writes the outcome of a pending capture, and returns the capture. */
export async function settleCapture(
  tx: Tx,
  { tenant, id }: CaptureKey,
  status: Exclude<Capture['status'], 'pending'>,
): Promise<Capture> {
  const [row] = await tx.query<Row>(settleOne, [tenant, id, status]);
  assert(row, 'whoever holds the lease finds the capture pending');
  return captureOf(row);
}

/**
 * Sends what was taken of a payment so far. The provider counts the same way, so what is told late says no more than
 * what was told before.
 */
export function addCaptured(
  tx: Tx,
  { tenant, id }: PaymentKey,
  { captured, isOver }: { captured: number; isOver: boolean },
): void {
  tx.send(raiseCaptured, [tenant, id, captured, isOver]);
}

const captureOf = (row: Row): Capture => ({
  tenant: row.tenant,
  id: row.id,
  paymentId: row.payment_id,
  amount: row.amount,
  final: row.final,
  status: row.status,
  createdAt: row.created_at.toISOString(),
});

const columns = 'tenant, id, payment_id, amount, final, status, created_at';

const lockOne: Statement = {
  name: 'capture.lock-payment',
  text: `
    select ${paymentColumns('p')}, p.status = 'authorized' and coalesce(p.expires_at <= now(), false) as is_expired
    from payment p where p.tenant = $1 and p.id = $2 for update`,
};

const selectSums: Statement = {
  name: 'capture.select-sums',
  text: `
    select coalesce(sum(amount), 0)::bigint as promised,
           count(*) filter (where status = 'pending')::int as pending, count(*)::int as count,
           coalesce(bool_or(final), false) as has_final
    from capture where tenant = $1 and payment_id = $2 and status <> 'failed'`,
};

const selectOne: Statement = {
  name: 'capture.select-one',
  text: `select ${columns} from capture where tenant = $1 and id = $2`,
};

const selectAge: Statement = {
  name: 'capture.select-age',
  text: `
    select (extract(epoch from now() - created_at) * 1000)::bigint as age_ms
    from capture where tenant = $1 and id = $2`,
};

const insertOne: Statement = {
  name: 'capture.insert',
  text: `
    insert into capture (tenant, id, payment_id, amount, final, status, created_at)
    values ($1, $2, $3, $4, $5, 'pending', now())`,
};

const settleOne: Statement = {
  name: 'capture.settle',
  text: `
    update capture set status = $3, updated_at = now()
    where tenant = $1 and id = $2 and status = 'pending'
    returning ${columns}`,
};

// Whoever looks at the intent may have seen its end first. If its undo came meanwhile, what was taken goes back.
const raiseCaptured: Statement = {
  name: 'payment.raise-captured',
  text: `
    update payment
    set captured = greatest(captured, $3),
        status = case when $4 or $3 >= amount then 'succeeded' else status end,
        expires_at = case when not ($4 or $3 >= amount) then expires_at end,
        check_at = case when not ($4 or $3 >= amount) then check_at when undone then now() end,
        version = version + 1, updated_at = now()
    where tenant = $1 and id = $2 and status in ('authorized', 'succeeded') and captured is not null`,
};
