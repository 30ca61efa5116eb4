/**
 * Erases the customer from notifications. The rows stay, because they keep a repeated event from sending a mail again.
 * What was still to be sent is not sent any more.
 */
import { type DataSubject, ERASED } from '@shop/messaging';
import type { Database, Statement } from '@shop/postgres';
import { eraseAlong, type ErasedRows } from '@shop/service';

const ROWS_PER_STEP = 1_000;

export async function eraseNotifications(
  database: Database,
  { tenant, customerId }: DataSubject,
): Promise<ErasedRows[]> {
  const rows = await eraseAlong(database, '', (after) => {
    const [statement, from] = customerId === undefined ? [eraseOfTenant, after] : [eraseOfCustomer, customerId];
    return [statement, [tenant, from, ROWS_PER_STEP, ERASED]];
  });
  return [{ table: 'notification', what: 'customers and contents of mails', rows }];
}

// The token goes too: whoever is sending it may do so, and writes nothing of it.
const CHANGE = `
  customer_id = $4, data = '{}', lease_token = null,
  status = case when n.status = 'sent' then n.status else 'suppressed' end,
  reason = case when n.status = 'sent' then n.reason else 'erased' end`;

const eraseOfCustomer: Statement = {
  name: 'notification.erase-customer',
  text: `
    with step as materialized (
      select tenant, id from notification where tenant = $1 and customer_id = $2 and customer_id <> $4
      order by id limit $3 for update
    ), changed as (
      update notification n set ${CHANGE} from step where n.tenant = step.tenant and n.id = step.id returning 1
    )
    select (select max(id) from step) as last, (select count(*) from changed)::int as changed`,
};

const eraseOfTenant: Statement = {
  name: 'notification.erase-tenant',
  text: `
    with step as materialized (
      select tenant, id from notification where tenant = $1 and id > $2 order by id limit $3 for update
    ), changed as (
      update notification n set ${CHANGE} from step
      where n.tenant = step.tenant and n.id = step.id and n.customer_id <> $4 returning 1
    )
    select (select max(id) from step) as last, (select count(*) from changed)::int as changed`,
};
