/**
 * Erases what the provider wrote about a payment. The payment itself stays, for the books: an amount, an order that
 * belongs to nobody any more, and the provider's own name of the charge, without which no money could be given back.
 */
import { ERASED } from '@shop/messaging';
import type { Statement } from '@shop/postgres';
import { eraseAlong, type OwnData } from '@shop/service';

const PAYMENTS_PER_STEP = 1_000;

export const paymentData: OwnData = {
  erase: async (database, { tenant, customerId }) => {
    const rows = await eraseAlong(database, '', (after) => [
      eraseReasons,
      [tenant, after, PAYMENTS_PER_STEP, customerId ?? null, ERASED],
    ]);
    return [{ table: 'payment', what: 'texts of the provider', rows }];
  },
};

// A code such as `insufficient_funds` says nothing about a person. Only other texts may.
const eraseReasons: Statement = {
  name: 'payment.erase-reasons',
  text: `
    with step as (
      select id, decline_reason from payment where tenant = $1 and id > $2 order by id limit $3
    ), changed as (
      update payment p set decline_reason = $5, version = version + 1, updated_at = now()
      from step
      where p.tenant = $1 and p.id = step.id and step.decline_reason <> $5
        and case when $4::text is null then step.decline_reason !~ '^[a-z0-9_]+$'
                 else position($4::text in step.decline_reason) > 0 end
      returning 1
    )
    select (select max(id) from step) as last, (select count(*) from changed)::int as changed`,
};
