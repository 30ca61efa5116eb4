/** The table of payments. Every statement that writes or locks payments, or reads many at once, is here. */
import { rowsOf, type Statement, type Tx } from '@shop/postgres';
import type { Payment } from './payment';
import type { Change } from './payment-state';

export interface PaymentRow {
  tenant: string;
  id: string;
  order_id: string | null;
  charge_id: string | null;
  amount: number;
  currency: string;
  source: string | null;
  status: Payment['status'];
  waits_for: Payment['waitsFor'];
  next_action_url: string | null;
  expires_at: Date | null;
  decline_reason: string | null;
  provider_reference: string | null;
  undone: boolean;
  captured: number | null;
  refunded: number;
  disputed: number;
  version: number;
  created_at: Date;
}

export interface PaymentKey {
  tenant: string;
  id: string;
}

export type NewPayment = Pick<Payment, 'tenant' | 'id' | 'orderId' | 'chargeId' | 'amount' | 'currency'> & {
  source: string;
};

/** A payment, and the name of its intent at the provider. */
export interface NamedPayment extends PaymentKey {
  reference: string | null;
}

/** The end of a charge, or what it waits for. */
export interface Settlement extends PaymentKey {
  change: Change;
  reference: string | null;
}

export const PAYMENT_PRIMARY_KEY = 'payment_pkey';

export const paymentKey = ({ tenant, id }: PaymentKey): string => `${tenant}/${id}`;

/** The payments by `paymentKey`. */
export async function loadPayments(tx: Pick<Tx, 'query'>, keys: readonly PaymentKey[]): Promise<Map<string, Payment>> {
  if (keys.length === 0) return new Map();
  const rows = await tx.query<PaymentRow>(selectMany, [keys.map(({ tenant }) => tenant), keys.map(({ id }) => id)]);
  return new Map(rows.map((row) => [paymentKey(row), paymentOf(row)]));
}

/** Inserts in key order, against deadlocks. A payment that exists fails the transaction by its primary key. */
export function insertPayments(tx: Tx, payments: readonly NewPayment[]): void {
  if (payments.length === 0) return;
  const rows = payments.map(({ tenant, id, orderId, chargeId, amount, currency, source }) => ({
    tenant,
    id,
    order_id: orderId,
    charge_id: chargeId,
    amount,
    currency,
    source,
  }));
  tx.send(insertRows, [rowsOf(rows)]);
}

/** Returns false and writes nothing if there is a payment with this id already. */
export async function createPayment(tx: Tx, payment: NewPayment): Promise<boolean> {
  const { tenant, id, orderId, chargeId, amount, currency, source } = payment;
  return (await tx.query(insertOne, [tenant, id, orderId, chargeId, amount, currency, source])).length > 0;
}

/** How long a payment has existed, by the clock of the database. */
export async function findPaymentAgeMs(tx: Tx, { tenant, id }: PaymentKey): Promise<number> {
  const [row] = await tx.query<{ age_ms: number }>(selectAge, [tenant, id]);
  return row!.age_ms;
}

/** Sends the names of their intents. From now on the provider may be asked to take the money. */
export function namePayments(tx: Tx, named: readonly NamedPayment[]): void {
  tx.send(nameMany, [rowsOf(named.map(({ tenant, id, reference }) => ({ tenant, id, reference })))]);
}

export interface Times {
  /** How long a payment may wait that begins to wait now. */
  waitSeconds: number | null;
  /** How long before the end of an authorization somebody is told. */
  warningSeconds: number;
}

/**
 * Writes what the provider has told about a payment that is open, and returns the payment. Undefined, and nothing is
 * written, when it has reached an end meanwhile. The token is erased: nobody asks with it any more.
 */
export async function changePayment(
  tx: Tx,
  settlement: Settlement,
  { waitSeconds, warningSeconds }: Times,
): Promise<Payment | undefined> {
  const values = [rowsOf([rowOf(settlement)]), waitSeconds, warningSeconds];
  const [row] = await tx.query<PaymentRow>(changeOne, values);
  return row && paymentOf(row);
}

/** Sends the ends of many payments. None of them may wait. */
export function settlePayments(tx: Tx, settlements: readonly Settlement[]): void {
  tx.send(settleMany, [rowsOf(settlements.map(rowOf))]);
}

const rowOf = ({ tenant, id, change, reference }: Settlement) => ({
  tenant,
  id,
  status: change.status,
  waits_for: change.waitsFor,
  next_action_url: change.nextActionUrl,
  decline_reason: change.declineReason,
  undone: change.undone,
  captured: change.captured,
  until: change.until,
  reference,
});

/** The payment. Nobody else can change it until the end of the transaction. */
export async function lockPayment(tx: Tx, { tenant, id }: PaymentKey): Promise<Payment | undefined> {
  const [row] = await tx.query<PaymentRow>(lockOne, [tenant, id]);
  return row && paymentOf(row);
}

/** Sends that a part of the payment was given back, or, below zero, that it came back to us. */
export function addRefunded(tx: Tx, { tenant, id }: PaymentKey, amount: number): void {
  tx.send(addToRefunded, [tenant, id, amount]);
}

export const paymentOf = (row: PaymentRow): Payment => ({
  tenant: row.tenant,
  id: row.id,
  orderId: row.order_id,
  chargeId: row.charge_id,
  amount: row.amount,
  currency: row.currency,
  source: row.source,
  status: row.status,
  waitsFor: row.waits_for,
  nextActionUrl: row.next_action_url,
  expiresAt: row.expires_at?.toISOString() ?? null,
  declineReason: row.decline_reason,
  providerReference: row.provider_reference,
  undone: row.undone,
  captured: row.captured,
  refunded: row.refunded,
  disputed: row.disputed,
  version: row.version,
  createdAt: row.created_at.toISOString(),
});

export const paymentColumns = (alias: string): string =>
  [
    'tenant',
    'id',
    'order_id',
    'charge_id',
    'amount',
    'currency',
    'source',
    'status',
    'waits_for',
    'next_action_url',
    'expires_at',
    'decline_reason',
    'provider_reference',
    'undone',
    'captured',
    'refunded',
    'disputed',
    'version',
    'created_at',
  ]
    .map((column) => `${alias}.${column}`)
    .join(', ');

const selectMany: Statement = {
  name: 'payment.select-many',
  text: `
    select ${paymentColumns('p')}
    from unnest($1::text[], $2::text[]) as k (tenant, id)
    join payment p on p.tenant = k.tenant and p.id = k.id`,
};

const lockOne: Statement = {
  name: 'payment.lock-one',
  text: `select ${paymentColumns('p')} from payment p where p.tenant = $1 and p.id = $2 for update`,
};

// Ages decide whether the provider is asked. So `created_at` is written and measured by the same `now()`.
const insertOne: Statement = {
  name: 'payment.insert-one',
  text: `
    insert into payment (tenant, id, order_id, charge_id, amount, currency, source, status, created_at)
    values ($1, $2, $3, $4, $5, $6, $7, 'pending', now())
    on conflict (tenant, id) do nothing
    returning id`,
};

const selectAge: Statement = {
  name: 'payment.select-age',
  text: `
    select (extract(epoch from now() - created_at) * 1000)::bigint as age_ms from payment where tenant = $1 and id = $2`,
};

const given = `jsonb_to_recordset($1::jsonb) as c (
      tenant text, id text, status text, waits_for text, next_action_url text, decline_reason text, undone boolean,
      captured bigint, until timestamptz, reference text)`;

/** Of most cards: https://docs.stripe.com/payments/place-a-hold-on-a-payment-method. A provider that knows better says so. */
const heldUntil = `coalesce(c.until, now() + interval '7 days')`;

// The intent of a payment never changes, so its name is written once. The status is not asked for: with it, the planner
// would expect few rows, walk the table, and search the few given rows for each of them.
const nameMany: Statement = {
  name: 'payment.name-many',
  text: `
    update payment p set provider_reference = c.reference, updated_at = now()
    from jsonb_to_recordset($1::jsonb) as c (tenant text, id text, reference text)
    where p.tenant = c.tenant and p.id = c.id`,
};

/** Seldom for a payment that has just begun to wait, and at least once a minute. Webhooks tell sooner. */
export const nextCheck = (since: string) =>
  `now() + least(greatest((now() - ${since}) * 0.1, '2 seconds'), '1 minute')`;

// Whoever observes first may write last. So an end is never left: only an open payment changes.
const changeOne: Statement = {
  name: 'payment.change-one',
  text: `
    update payment p
    set status = c.status, waits_for = c.waits_for, next_action_url = c.next_action_url,
        decline_reason = c.decline_reason, undone = p.undone or c.undone, source = null,
        provider_reference = coalesce(c.reference, p.provider_reference),
        captured = case when c.status in ('authorized', 'succeeded') and coalesce(c.captured, p.captured) is not null
                          or c.status = 'authorized'
                        then greatest(c.captured, p.captured, 0) else p.captured end,
        expires_at = case when c.status = 'authorized' then ${heldUntil}
                          when c.waits_for is null then null
                          when c.waits_for = p.waits_for then p.expires_at
                          else now() + $2::int * interval '1 second' end,
        check_at = case when c.status = 'authorized' then ${heldUntil} - $3::int * interval '1 second'
                        when c.waits_for is not null then ${nextCheck('p.created_at')}
                        when c.status = 'succeeded' and (p.undone or c.undone) then now() end,
        version = version + 1, updated_at = now()
    from ${given}
    where p.tenant = c.tenant and p.id = c.id and p.status in ('pending', 'authorized')
    returning ${paymentColumns('p')}`,
};

const settleMany: Statement = {
  name: 'payment.settle-many',
  text: `
    update payment p
    set status = c.status, decline_reason = c.decline_reason, source = null,
        provider_reference = coalesce(c.reference, p.provider_reference), version = version + 1, updated_at = now()
    from ${given}
    where p.tenant = c.tenant and p.id = c.id and p.status not in ('authorized', 'succeeded', 'declined', 'cancelled')`,
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
    insert into payment (tenant, id, order_id, charge_id, amount, currency, source, status, created_at)
    select tenant, id, order_id, charge_id, amount, currency, source, 'pending', now()
    from jsonb_to_recordset($1::jsonb) as n (
      tenant text, id text, order_id uuid, charge_id text, amount bigint, currency text, source text)
    order by tenant, id`,
};
