/** The statements on payments that wait: for their customer, for a bank, or for money that has to go back. */
import type { Database, Statement, Tx } from '@shop/postgres';
import type { Payment } from './payment';
import type { Standing } from './payment-state';
import { nextCheck, paymentColumns, type PaymentKey, paymentOf, type PaymentRow } from './payments.repository';

export type StandingPayment = Payment &
  Standing & {
    /** The time since it was written. */
    ageMs: number;
  };

/** The payment as it stands now, by the clock of the database. */
export async function findStanding(
  reader: Pick<Tx, 'query'>,
  { tenant, id }: PaymentKey,
): Promise<StandingPayment | undefined> {
  const [row] = await reader.query<PaymentRow & { is_expired: boolean; age_ms: number }>(selectStanding, [tenant, id]);
  return row && { ...paymentOf(row), isExpired: row.is_expired, ageMs: row.age_ms };
}

/**
 * Takes up to `limit` payments for which it is time to ask the provider. Another replica gets others. If this process
 * dies, they are taken again at their next time.
 */
export async function takeDue(database: Database, limit: number): Promise<PaymentKey[]> {
  return database.query<PaymentRow>(claimDue, [limit]);
}

/** Makes it time to ask the provider about this payment. Returns false if there is nothing to ask about it. */
export async function hasten(tx: Pick<Tx, 'query'>, { tenant, id }: PaymentKey): Promise<boolean> {
  return (await tx.query(checkNow, [tenant, id])).length > 0;
}

/** From now on nobody wants the money of this payment. */
export async function markUndone(tx: Tx, { tenant, id }: PaymentKey): Promise<void> {
  await tx.query(undo, [tenant, id]);
}

/** Writes that all of the payment was given back. Twice is like once. */
export async function markGivenBack(
  tx: Tx,
  { tenant, id }: PaymentKey,
  reference: string,
): Promise<Payment | undefined> {
  const [row] = await tx.query<PaymentRow>(giveBack, [tenant, id, reference]);
  return row && paymentOf(row);
}

const selectStanding: Statement = {
  name: 'payment.select-standing',
  text: `
    select ${paymentColumns('p')}, coalesce(p.expires_at <= now(), false) as is_expired,
           (extract(epoch from now() - p.created_at) * 1000)::bigint as age_ms
    from payment p where p.tenant = $1 and p.id = $2`,
};

const claimDue: Statement = {
  name: 'payment.claim-due',
  text: `
    update payment p set check_at = ${nextCheck('p.created_at')}
    from (
      select tenant, id from payment where check_at <= now() order by check_at limit $1 for update skip locked
    ) as due
    where p.tenant = due.tenant and p.id = due.id
    returning p.tenant, p.id`,
};

const checkNow: Statement = {
  name: 'payment.check-now',
  text: `
    update payment set check_at = now()
    where tenant = $1 and id = $2 and check_at is not null
    returning id`,
};

const undo: Statement = {
  name: 'payment.undo',
  text: `
    update payment
    set undone = true, check_at = now() + interval '2 seconds', version = version + 1, updated_at = now()
    where tenant = $1 and id = $2 and status in ('pending', 'authorized') and not undone
    returning id`,
};

const giveBack: Statement = {
  name: 'payment.give-back',
  text: `
    update payment p
    set refunded = p.amount, refund_reference = $3, check_at = null, version = version + 1, updated_at = now()
    where p.tenant = $1 and p.id = $2 and p.undone and p.status = 'succeeded' and p.refunded < p.amount
    returning ${paymentColumns('p')}`,
};
