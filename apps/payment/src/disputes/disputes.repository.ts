/** The table of disputes. The statements that write one, and what a payment counts of them, are here. */
import type { Statement, Tx } from '@shop/postgres';
import { paymentColumns, type PaymentKey, paymentOf, type PaymentRow } from '../payments/payments.repository';
import type { Payment } from '../payments/payment';
import type { Dispute } from './dispute';

/**
 * Writes a dispute as the provider shows it now, while its payment is locked. Returns what it was before; undefined for
 * a new one. One that is closed is not opened again: what was looked up earlier may be written later.
 */
export async function saveDispute(
  tx: Tx,
  { tenant, id, paymentId, amount, currency, reason, status, openedAt }: Omit<Dispute, 'closedAt'>,
): Promise<Dispute['status'] | undefined> {
  const [before] = await tx.query<{ status: Dispute['status'] }>(selectStatus, [tenant, id]);
  tx.send(upsert, [tenant, id, paymentId, amount, currency, reason, status, openedAt]);
  return before?.status;
}

/**
 * Counts the disputes of a payment anew, and returns the payment. When money came back that nobody wants any more, it
 * is time to give it back.
 */
export async function countDisputes(tx: Tx, { tenant, id }: PaymentKey): Promise<Payment> {
  const [row] = await tx.query<PaymentRow>(count, [tenant, id]);
  return paymentOf(row!);
}

const selectStatus: Statement = {
  name: 'dispute.select-status',
  text: `select status from dispute where tenant = $1 and id = $2`,
};

const upsert: Statement = {
  name: 'dispute.upsert',
  text: `
    insert into dispute (tenant, id, payment_id, amount, currency, reason, status, opened_at, closed_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, case when $7 <> 'open' then now() end)
    on conflict (tenant, id) do update
    set amount = excluded.amount, reason = excluded.reason, status = excluded.status,
        closed_at = coalesce(dispute.closed_at, excluded.closed_at)
    where dispute.payment_id = excluded.payment_id and (dispute.status = 'open' or excluded.status <> 'open')`,
};

const count: Statement = {
  name: 'payment.count-disputes',
  text: `
    with counted as (
      select coalesce(sum(amount), 0)::bigint as disputed
      from dispute where tenant = $1 and payment_id = $2 and status <> 'won'
    )
    update payment p
    set disputed = c.disputed,
        check_at = case when p.undone and p.status = 'succeeded' and c.disputed < p.disputed then now() else p.check_at end,
        version = version + 1, updated_at = now()
    from counted c
    where p.tenant = $1 and p.id = $2
    returning ${paymentColumns('p')}`,
};
