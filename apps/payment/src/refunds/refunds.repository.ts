/** The table of refunds. Every statement of the transactions that make or settle a refund is here. */
import type { Database, Statement, Tx } from '@shop/postgres';
import type { RefundState, ShownRefund } from '../payments/provider';
import type { Refund, RefundCause } from './refund';

interface Row {
  tenant: string;
  id: string;
  payment_id: string;
  amount: number;
  cause: RefundCause;
  status: Refund['status'];
  provider_reference: string | null;
  created_at: Date;
}

export interface RefundKey {
  tenant: string;
  id: string;
}

export type NewRefundRow = Pick<Refund, 'tenant' | 'id' | 'paymentId' | 'amount'> & { cause: RefundCause };

/** What the refunds of a payment tell. It is exact only while the payment is locked. */
export interface Promises {
  /** The sum of those that were begun, and of which the provider has told nothing yet. */
  promised: number;
  /** One of them has failed, so its money is still owed. */
  hasFailed: boolean;
  /** How many there are. */
  count: number;
}

export interface GivenBackOfOrder extends RefundKey {
  orderId: string;
  amount: number;
}

export async function findRefund(tx: Pick<Tx, 'query'>, { tenant, id }: RefundKey): Promise<Refund | undefined> {
  const [row] = await tx.query<Row>(selectOne, [tenant, id]);
  return row && refundOf(row);
}

/** The refund with this name at the provider. */
export async function findRefundOf(database: Database, reference: string): Promise<Refund | undefined> {
  const [row] = await database.query<Row>(selectByReference, [reference]);
  return row && refundOf(row);
}

/** A refund of money that nobody wanted, which was begun and is not known to be accepted. */
export async function findUnfinished(tx: Tx, tenant: string, paymentId: string): Promise<Refund | undefined> {
  const [row] = await tx.query<Row>(selectUnfinished, [tenant, paymentId]);
  return row && refundOf(row);
}

export async function sumPromises(tx: Tx, tenant: string, paymentId: string): Promise<Promises> {
  const [row] = await tx.query<{ promised: number; failed: number; count: number }>(selectPromised, [
    tenant,
    paymentId,
  ]);
  return { promised: row!.promised, hasFailed: row!.failed > 0, count: row!.count };
}

/** Sends a new pending refund. One that the provider has refused is begun again. */
export function createRefund(tx: Tx, { tenant, id, paymentId, amount, cause }: NewRefundRow): void {
  tx.send(insertOne, [tenant, id, paymentId, amount, cause]);
}

/** The refunds of these orders that their customers have, in the order in which they were begun. */
export async function findGivenBack(
  tx: Tx,
  orders: readonly { tenant: string; orderId: string }[],
): Promise<GivenBackOfOrder[]> {
  const tenants = orders.map(({ tenant }) => tenant);
  const ids = orders.map(({ orderId }) => orderId);
  return tx.query<GivenBackOfOrder>(selectGivenBack, [tenants, ids]);
}

/** How long a refund has existed, by the clock of the database. */
export async function findRefundAgeMs(tx: Pick<Tx, 'query'>, { tenant, id }: RefundKey): Promise<number> {
  const [row] = await tx.query<{ age_ms: number }>(selectAge, [tenant, id]);
  return row!.age_ms;
}

/**
 * Writes what the provider has answered to a refund that was begun, and returns the refund. Null: the provider has
 * refused it. Undefined, and nothing is written, when somebody else was faster.
 */
export async function answerRefund(
  tx: Tx,
  { tenant, id }: RefundKey,
  shown: ShownRefund | null,
): Promise<Refund | undefined> {
  const [row] = await tx.query<Row>(answerOne, [tenant, id, shown?.status ?? 'failed', shown?.reference ?? null]);
  return row && refundOf(row);
}

/** Writes what became of an accepted refund, and returns it. Undefined when that is nothing new. */
export async function settleRefund(
  tx: Tx,
  { tenant, id }: RefundKey,
  status: Exclude<RefundState, 'pending'>,
): Promise<Refund | undefined> {
  const [row] = await tx.query<Row>(settleOne, [tenant, id, status]);
  return row && refundOf(row);
}

/** Takes up to `limit` refunds for which it is time to ask the provider, as `takeDue` takes payments. */
export function takeDueRefunds(database: Database, limit: number): Promise<RefundKey[]> {
  return database.query<RefundKey>(claimDue, [limit]);
}

const refundOf = (row: Row): Refund => ({
  tenant: row.tenant,
  id: row.id,
  paymentId: row.payment_id,
  amount: row.amount,
  cause: row.cause,
  status: row.status,
  providerReference: row.provider_reference,
  createdAt: row.created_at.toISOString(),
});

const columns = 'tenant, id, payment_id, amount, cause, status, provider_reference, created_at';

const selectOne: Statement = {
  name: 'refund.select-one',
  text: `select ${columns} from refund where tenant = $1 and id = $2`,
};

const selectByReference: Statement = {
  name: 'refund.select-by-reference',
  text: `select ${columns} from refund where provider_reference = $1`,
};

const selectUnfinished: Statement = {
  name: 'refund.select-unfinished',
  text: `
    select ${columns} from refund
    where tenant = $1 and payment_id = $2 and cause = 'landed' and status = 'pending' and provider_reference is null
    order by id limit 1`,
};

const selectPromised: Statement = {
  name: 'refund.select-promised',
  text: `
    select coalesce(sum(amount) filter (where status = 'pending' and provider_reference is null), 0)::bigint as promised,
           count(*) filter (where status = 'failed')::int as failed, count(*)::int as count
    from refund where tenant = $1 and payment_id = $2`,
};

const selectGivenBack: Statement = {
  name: 'refund.select-given-back',
  text: `
    select r.tenant, p.order_id as "orderId", r.id, r.amount
    from unnest($1::text[], $2::uuid[]) as k (tenant, order_id)
    join payment p on p.tenant = k.tenant and p.order_id = k.order_id
    join refund r on r.tenant = p.tenant and r.payment_id = p.id
    where r.status = 'succeeded'
    order by r.created_at, r.id`,
};

// Under the lock of its payment. A refusal moved no money, so the same command may ask again.
const insertOne: Statement = {
  name: 'refund.insert',
  text: `
    insert into refund (tenant, id, payment_id, amount, cause, status, created_at)
    values ($1, $2, $3, $4, $5, 'pending', now())
    on conflict (tenant, id) do update set status = 'pending', amount = excluded.amount, updated_at = now()
    where refund.status = 'failed' and refund.provider_reference is null`,
};

const selectAge: Statement = {
  name: 'refund.select-age',
  text: `
    select (extract(epoch from now() - created_at) * 1000)::bigint as age_ms from refund where tenant = $1 and id = $2`,
};

/** A bank may take days. Webhooks tell sooner. */
const nextCheck = `now() + least(greatest((now() - created_at) * 0.1, '10 seconds'), '1 hour')`;

const answerOne: Statement = {
  name: 'refund.answer',
  text: `
    update refund
    set status = $3, provider_reference = $4, check_at = case when $3 = 'pending' then ${nextCheck} end,
        updated_at = now()
    where tenant = $1 and id = $2 and status = 'pending' and provider_reference is null
    returning ${columns}`,
};

// A bank may send money back that had arrived already.
const settleOne: Statement = {
  name: 'refund.settle',
  text: `
    update refund
    set status = $3, check_at = null, updated_at = now()
    where tenant = $1 and id = $2 and provider_reference is not null
      and (status = 'pending' or (status = 'succeeded' and $3 = 'failed'))
    returning ${columns}`,
};

const claimDue: Statement = {
  name: 'refund.claim-due',
  text: `
    with due as materialized (
      select tenant, id from refund where check_at <= now() order by check_at limit $1 for update skip locked
    )
    update refund r set check_at = ${nextCheck.replaceAll('created_at', 'r.created_at')}
    from due
    where r.tenant = due.tenant and r.id = due.id
    returning r.tenant, r.id`,
};
