/** Finds the reservations whose time is over, by the clock of the database. */
import type { Database, Statement, Tx } from '@shop/postgres';

export interface OverdueKey {
  tenant: string;
  id: string;
}

/** Locks up to `limit` of them, and leaves those that others have locked to them. */
export function lockOverdue(tx: Tx, { limit, except }: { limit: number; except: string[] }): Promise<OverdueKey[]> {
  return tx.query<OverdueKey>(selectOverdue, [limit, except]);
}

/** The time until the next open reservation ends, at most `atMostMs`. */
export async function msUntilExpiry(database: Database, atMostMs: number): Promise<number> {
  const [row] = await database.query<{ ms: number }>(selectNext, [atMostMs]);
  return row!.ms;
}

// The rows are not locked in key order. That is safe, because nobody waits here while it holds them.
const selectOverdue: Statement = {
  name: 'reservation.lock-overdue',
  text: `
    select tenant, id from reservation
    where status = 'open' and expires_at <= now() and id <> all($2::uuid[])
    order by expires_at limit $1
    for update skip locked`,
};

const selectNext: Statement = {
  name: 'reservation.next-expiry',
  text: `
    select greatest(1, least($1::bigint, ceil(extract(epoch from next.at - clock_timestamp()) * 1000)::bigint)) as ms
    from (select min(expires_at) as at from reservation where status = 'open') as next`,
};
