/** Takes deliveries whose time has come, each for the time of a lease, and keeps the leases. */
import { type Database, rowsOf, type Statement, type Tx } from '@shop/postgres';
import type { DeliveryKey, DeliveryLine, Standing } from './delivery';

/** A delivery in the hands of one worker, until its lease ends. */
export interface TakenDelivery extends DeliveryKey, Standing {
  customerId: string | null;
  lines: DeliveryLine[];
  /** The carrier may have it from an earlier attempt. */
  askedBefore: boolean;
  token: string;
  /** The `traceparent` that it is worked on in. */
  trace?: string;
}

interface TakenRow {
  tenant: string;
  id: string;
  customer_id: string | null;
  lines: DeliveryLine[];
  status: Standing['status'];
  asked: boolean;
  stop_wanted: boolean;
  asked_before: boolean;
  lease_token: string;
  traceparent: string | null;
}

/**
 * Takes up to `limit` deliveries whose time has come. Nobody else gets them within the lease. One that waits is
 * `handing_over` from now on.
 */
export async function takeDue(database: Database, limit: number, leaseSeconds: number): Promise<TakenDelivery[]> {
  const rows = await database.query<TakenRow>(claimDue, [limit, leaseSeconds]);
  return rows.map((row) => ({
    tenant: row.tenant,
    id: row.id,
    customerId: row.customer_id,
    lines: row.lines,
    status: row.status,
    asked: row.asked,
    stopWanted: row.stop_wanted,
    askedBefore: row.asked_before,
    token: row.lease_token,
    trace: row.traceparent ?? undefined,
  }));
}

/** Makes the leases last from now on, for those that are still theirs. */
export async function extendLeases(
  database: Database,
  held: readonly (DeliveryKey & { token: string })[],
  leaseSeconds: number,
): Promise<void> {
  await database.query(extendAll, [rowsOf(held.map(({ tenant, id, token }) => ({ tenant, id, token }))), leaseSeconds]);
}

/** Whether this lease is still the one that counts, for the row that is locked in this transaction. */
export async function holdsLease(tx: Tx, { tenant, id, token }: DeliveryKey & { token: string }): Promise<boolean> {
  return (await tx.query(selectLease, [tenant, id, token])).length > 0;
}

const claimDue: Statement = {
  name: 'delivery.claim-due',
  text: `
    with due as materialized (
      select tenant, id, asked from delivery where next_at <= now() order by next_at limit $1 for update skip locked
    )
    update delivery d
    set status = case when d.status = 'waiting' then 'handing_over' else d.status end,
        asked = true,
        attempts = d.attempts + case when d.status in ('waiting', 'handing_over') then 1 else 0 end,
        lease_token = gen_random_uuid(),
        leased_until = now() + $2::int * interval '1 second',
        next_at = now() + $2::int * interval '1 second',
        version = d.version + 1, updated_at = now()
    from due
    where d.tenant = due.tenant and d.id = due.id
    returning d.tenant, d.id, d.customer_id, d.lines, d.status, d.asked, d.stop_wanted, d.lease_token,
              d.traceparent, due.asked as asked_before`,
};

const extendAll: Statement = {
  name: 'delivery.extend-leases',
  text: `
    update delivery d
    set leased_until = now() + $2::int * interval '1 second',
        next_at = case when d.next_at is not null then now() + $2::int * interval '1 second' end
    from jsonb_to_recordset($1::jsonb) as h (tenant text, id text, token uuid)
    where d.tenant = h.tenant and d.id = h.id and d.lease_token = h.token`,
};

const selectLease: Statement = {
  name: 'delivery.select-lease',
  text: `select id from delivery where tenant = $1 and id = $2 and lease_token = $3`,
};
