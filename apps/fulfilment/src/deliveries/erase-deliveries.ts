/**
 * Erases the customer from deliveries. The rows stay, because they keep an order from being delivered twice. One that still
 * waits needs its customer, so an erasure comes behind its hand-over.
 */
import type { DataSubject } from '@shop/messaging';
import type { Database, Statement } from '@shop/postgres';
import { eraseFound, type ErasedRows } from '@shop/service';

const ROWS_PER_STEP = 1_000;

/** How many have not been handed over yet. */
export async function countOpenDeliveries(database: Database, { tenant, customerId }: DataSubject): Promise<number> {
  const [row] = await database.query<{ count: number }>(countOpen, [tenant, customerId ?? null]);
  return row!.count;
}

export async function eraseDeliveries(database: Database, { tenant, customerId }: DataSubject): Promise<ErasedRows[]> {
  const rows = await eraseFound(database, ROWS_PER_STEP, eraseStep, [tenant, customerId ?? null, ROWS_PER_STEP]);
  return [{ table: 'delivery', what: 'customers, and addresses of labels', rows }];
}

const countOpen: Statement = {
  name: 'delivery.count-open',
  text: `
    select count(*) as count from delivery
    where tenant = $1 and status in ('waiting', 'handing_over') and customer_id is not null
      and ($2::text is null or customer_id = $2)`,
};

const eraseStep: Statement = {
  name: 'delivery.erase',
  text: `
    with step as materialized (
      select tenant, id from delivery
      where tenant = $1 and (customer_id = $2 or ($2::text is null and (customer_id is not null or placed_by is not null)))
      order by id limit $3 for update
    )
    update delivery d set customer_id = null, placed_by = null, label_url = null, version = d.version + 1, updated_at = now()
    from step
    where d.tenant = step.tenant and d.id = step.id
    returning d.id`,
};
