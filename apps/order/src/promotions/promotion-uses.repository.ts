/**
 * The uses of promotions. A use is held like stock: an order takes it when it is placed, and it is confirmed with the
 * order, or returned when the order is cancelled. `promotion.used` counts those that are not returned.
 *
 * The row of the promotion is the lock for its uses. Whoever changes `used` first locks the rows in key order.
 */
import { rowsOf, type Statement, type Tx } from '@shop/postgres';
import type { PromotionKey, PromotionKind, PromotionTerms } from './promotion';

export interface UseKey extends PromotionKey {
  orderId: string;
}

export interface TakenUse extends UseKey {
  /** The hash of the customer. */
  customer: string;
}

export interface UseMove extends UseKey {
  status: 'confirmed' | 'returned';
}

export interface CustomerUses extends PromotionKey {
  customer: string;
}

interface Row extends PromotionKey {
  kind: PromotionKind;
  percent: number | null;
  amount: number | null;
  currency: string | null;
  skus: string[] | null;
  minimum: number | null;
  starts_at: Date | null;
  ends_at: Date | null;
  max_uses: number | null;
  max_uses_per_customer: number | null;
  combinable: boolean;
  used: number;
}

export const promotionKey = ({ tenant, code }: PromotionKey): string => `${tenant}\n${code}`;
export const customerUsesKey = ({ tenant, code, customer }: CustomerUses): string => `${tenant}\n${code}\n${customer}`;

/** Locks the promotions and returns them, by `promotionKey`. One that is deleted is left out. */
export async function lockPromotions(tx: Tx, keys: readonly PromotionKey[]): Promise<Map<string, PromotionTerms>> {
  if (keys.length === 0) return new Map();
  const rows = await tx.query<Row>(selectForUpdate, columnsOf(keys));
  return new Map(rows.map((row) => [promotionKey(row), termsOf(row)]));
}

/** How often these customers have used these promotions, by `customerUsesKey`. None is left out. */
export async function countUses(
  reader: Pick<Tx, 'query'>,
  wanted: readonly CustomerUses[],
): Promise<Map<string, number>> {
  if (wanted.length === 0) return new Map();
  const customers = wanted.map(({ customer }) => customer);
  const rows = await reader.query<CustomerUses & { uses: number }>(countByCustomer, [...columnsOf(wanted), customers]);
  return new Map(rows.map((row) => [customerUsesKey(row), row.uses]));
}

/** Writes the uses of new orders. The caller has locked their promotions and looked at what is left of them. */
export function takeUses(tx: Tx, uses: readonly TakenUse[]): void {
  if (uses.length === 0) return;
  const rows = uses.map(({ tenant, code, orderId, customer }) => ({ tenant, code, order_id: orderId, customer }));
  tx.send(insertUses, [rowsOf(rows)]);
}

/**
 * Confirms or returns uses. What is returned stays returned, so a repeat changes nothing, and `used` falls once.
 *
 * A batch of orders holds promotions while it inserts orders. So the locks are taken before the caller changes orders.
 */
export function moveUses(tx: Tx, moves: readonly UseMove[]): void {
  if (moves.length === 0) return;
  const returned = moves.filter(({ status }) => status === 'returned');
  if (returned.length > 0) tx.send(lockRows, columnsOf(returned));
  const rows = moves.map(({ tenant, code, orderId, status }) => ({ tenant, code, order_id: orderId, status }));
  tx.send(updateUses, [rowsOf(rows)]);
}

const columnsOf = (keys: readonly PromotionKey[]): [string[], string[]] => [
  keys.map(({ tenant }) => tenant),
  keys.map(({ code }) => code),
];

const termsOf = (row: Row): PromotionTerms => ({
  code: row.code,
  kind: row.kind,
  percent: row.percent ?? undefined,
  amount: row.amount ?? undefined,
  currency: row.currency ?? undefined,
  skus: row.skus ?? undefined,
  minimum: row.minimum ?? undefined,
  startsAt: row.starts_at ?? undefined,
  endsAt: row.ends_at ?? undefined,
  maxUses: row.max_uses ?? undefined,
  maxUsesPerCustomer: row.max_uses_per_customer ?? undefined,
  combinable: row.combinable,
  used: row.used,
});

const selectForUpdate: Statement = {
  name: 'promotion.select-for-update',
  text: `
    select p.tenant, p.code, p.kind, p.percent, p.amount, p.currency, p.skus, p.minimum, p.starts_at, p.ends_at,
           p.max_uses, p.max_uses_per_customer, p.combinable, p.used
    from (select distinct tenant, code from unnest($1::text[], $2::text[]) as w (tenant, code)) k
    join promotion p on p.tenant = k.tenant and p.code = k.code
    where p.deleted_at is null
    order by p.tenant, p.code
    for update of p`,
};

const countByCustomer: Statement = {
  name: 'promotion-use.count-by-customer',
  text: `
    select k.tenant, k.code, k.customer, u.uses
    from unnest($1::text[], $2::text[], $3::text[]) as k (tenant, code, customer)
    cross join lateral (
      select count(*)::int as uses from promotion_use u
      where u.tenant || '' = k.tenant and u.code = k.code and u.customer = k.customer and u.status <> 'returned') u
    where u.uses > 0`,
};

const insertUses: Statement = {
  name: 'promotion-use.insert',
  text: `
    with taken as (
      insert into promotion_use (tenant, code, order_id, customer, status)
      select tenant, code, order_id, customer, 'taken'
      from jsonb_to_recordset($1::jsonb) as u (tenant text, code text, order_id uuid, customer text)
      returning tenant, code
    )
    update promotion p
    set used = p.used + t.uses
    from (select tenant, code, count(*)::int as uses from taken group by tenant, code) t
    where p.tenant = t.tenant and p.code = t.code`,
};

// Also one that is deleted: its uses go on.
const lockRows: Statement = {
  name: 'promotion.lock',
  text: `
    select from (select distinct tenant, code from unnest($1::text[], $2::text[]) as w (tenant, code)) k
    join promotion p on p.tenant = k.tenant and p.code = k.code
    order by p.tenant, p.code
    for update of p`,
};

const updateUses: Statement = {
  name: 'promotion-use.move',
  text: `
    with moved as (
      update promotion_use u
      set status = m.status, updated_at = now()
      from jsonb_to_recordset($1::jsonb) as m (tenant text, code text, order_id uuid, status text)
      where u.tenant = m.tenant and u.code = m.code and u.order_id = m.order_id
        and u.status <> 'returned' and u.status <> m.status
      returning u.tenant, u.code, u.status
    )
    update promotion p
    set used = p.used - r.uses
    from (select tenant, code, count(*)::int as uses from moved where status = 'returned' group by tenant, code) r
    where p.tenant = r.tenant and p.code = r.code`,
};
