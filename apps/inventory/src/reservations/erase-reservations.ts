/**
 * Erases who reserved. The reservation stays, because its pieces are counted, and nobody knows any more for whom it was.
 * One that is still open can then not be taken over by an order, and expires. Reservations are walked in the order of
 * their ids; an index by customers would cost every order.
 */
import { customerHash } from '@shop/contracts';
import type { DataSubject } from '@shop/messaging';
import type { Database, Statement } from '@shop/postgres';
import { eraseAlong, eraseFound, type ErasedRows, FIRST_UUID } from '@shop/service';

/** No principal has this name, because of its brackets. */
const NOBODY = '(erased)';
const ROWS_PER_STEP = 1_000;

export async function eraseReservations(
  database: Database,
  { tenant, customerId }: DataSubject,
): Promise<ErasedRows[]> {
  const hash = customerId === undefined ? null : customerHash(tenant, customerId);
  const reservations = await eraseAlong(database, FIRST_UUID, (after) => [
    eraseStep,
    [tenant, after, ROWS_PER_STEP, hash, customerId ?? null, NOBODY],
  ]);
  const holdings = await eraseFound(database, ROWS_PER_STEP, deleteHoldings, [tenant, hash, ROWS_PER_STEP]);
  return [
    { table: 'reservation', what: 'who reserved, and the hash of the request', rows: reservations },
    { table: 'customer_holding', what: 'how much a customer has of a SKU', rows: holdings },
  ];
}

// Whoever made it may be the customer. The hash of the request could tell a customer who can be guessed. No principal
// and no request has what takes their place.
const eraseStep: Statement = {
  name: 'reservation.erase-customers',
  text: `
    with step as (
      select id, customer, placed_by from reservation where tenant = $1 and id > $2 order by id limit $3
    ), changed as (
      update reservation r
      set customer = null, placed_by = case when r.placed_by is not null then $6::text end,
          request_hash = case when r.request_hash is not null then decode(repeat('00', 32), 'hex') end,
          updated_at = now()
      from step
      where r.tenant = $1 and r.id = step.id
        and (step.customer is not null or step.placed_by <> $6::text)
        and ($5::text is null or step.customer = $4::text or step.placed_by = $5::text)
      returning 1
    )
    select (select last.id from step as last order by last.id desc limit 1) as last,
           (select count(*) from changed)::int as changed`,
};

const deleteHoldings: Statement = {
  name: 'customer-holding.erase',
  text: `
    with step as (
      select tenant, sku, customer from customer_holding
      where tenant = $1 and ($2::text is null or customer = $2::text) order by sku, customer limit $3
    )
    delete from customer_holding h using step
    where h.tenant = step.tenant and h.sku = step.sku and h.customer = step.customer
    returning 1`,
};
