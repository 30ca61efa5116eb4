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
export function takeDue(database: Database, limit: number): Promise<PaymentKey[]> {
  return database.query<PaymentKey>(claimDue, [limit]);
}

/** Makes it time to ask the provider about this payment. Returns false if there is nothing to ask about it. */
export async function hasten(tx: Pick<Tx, 'query'>, { tenant, id }: PaymentKey): Promise<boolean> {
  return (await tx.query(checkNow, [tenant, id])).length > 0;
}

/** From now on nobody wants the money of this payment. */
export async function markUndone(tx: Tx, { tenant, id }: PaymentKey): Promise<void> {
  await tx.query(undo, [tenant, id]);
}

/** Sends that nobody wants the money of this payment any more, which was taken. */
export function markUnwanted(tx: Tx, { tenant, id }: PaymentKey): void {
  tx.send(unwant, [tenant, id]);
}

/** Stops asking about money that landed when nobody wanted it, if none is left to give back. Twice is like once. */
export async function markGivenBack(tx: Tx, { tenant, id }: PaymentKey): Promise<Payment | undefined> {
  const [row] = await tx.query<PaymentRow>(giveBack, [tenant, id]);
  return row && paymentOf(row);
}

/**
 * Whether money that is held will be free again within this time, and whether this is told for the first time. It sets
 * when to look again. Undefined if it is not held any more.
 */
export async function watchAuthorization(
  tx: Tx,
  { tenant, id }: PaymentKey,
  { warningSeconds, isReleased }: { warningSeconds: number; isReleased: boolean },
): Promise<{ isExpiring: boolean; isNew: boolean } | undefined> {
  const [row] = await tx.query<{ is_expiring: boolean; is_new: boolean }>(watch, [
    tenant,
    id,
    warningSeconds,
    isReleased,
  ]);
  return row && { isExpiring: row.is_expiring, isNew: row.is_new };
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
    with due as materialized (
      select tenant, id from payment where check_at <= now() order by check_at limit $1 for update skip locked
    )
    update payment p set check_at = ${nextCheck('p.created_at')}
    from due
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

// It may have been paid since it was seen to wait.
const undo: Statement = {
  name: 'payment.undo',
  text: `
    update payment
    set undone = true, check_at = now() + interval '2 seconds', version = version + 1, updated_at = now()
    where tenant = $1 and id = $2 and status in ('pending', 'authorized', 'succeeded') and not undone
    returning id`,
};

const unwant: Statement = {
  name: 'payment.unwant',
  text: `update payment set undone = true, updated_at = now() where tenant = $1 and id = $2 and not undone`,
};

const giveBack: Statement = {
  name: 'payment.give-back',
  text: `
    update payment p
    set check_at = null, updated_at = now()
    where p.tenant = $1 and p.id = $2 and p.undone and p.status = 'succeeded' and p.check_at is not null
      and p.refunded + p.disputed >= coalesce(p.captured, p.amount)
    returning ${paymentColumns('p')}`,
};

const watch: Statement = {
  name: 'payment.watch-authorization',
  text: `
    with held as (
      select tenant, id, expiry_told, expires_at - $3::int * interval '1 second' as warn_at
      from payment where tenant = $1 and id = $2 and status = 'authorized' for update
    )
    update payment p
    set expiry_told = h.expiry_told or h.warn_at <= now(),
        check_at = case when h.warn_at > now() then h.warn_at
                        else greatest(case when not $4::boolean then p.expires_at end, now() + interval '1 minute') end
    from held h
    where p.tenant = h.tenant and p.id = h.id
    returning h.warn_at <= now() as is_expiring, h.warn_at <= now() and not h.expiry_told as is_new`,
};
