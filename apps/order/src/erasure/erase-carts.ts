/** Erases carts, also those that were ordered: what was bought stands in the order. */
import type { Database, Statement } from '@shop/postgres';
import { eraseAlong, type ErasedRows } from '@shop/service';
import type { Subject } from './subject';

const CARTS_PER_STEP = 1_000;

export async function eraseCarts(database: Database, { tenant, customerId, placedBy }: Subject): Promise<ErasedRows[]> {
  const rows = await eraseAlong(database, '', (after) => {
    const values = [tenant, after, CARTS_PER_STEP, customerId ?? null];
    return placedBy === undefined ? [deleteCarts, values] : [deleteOwnCarts, [...values, placedBy]];
  });
  return [{ table: 'cart', what: 'carts, and the promotions in them', rows }];
}

// The promotions of a cart go with it. The rows are locked in key order, as whoever orders carts does.
const countedOver = (step: string): string => `
    with step as (${step}), meant as (
      select c.tenant, c.id from cart c
      where c.tenant = $1 and c.id in (select id from step) and ($4::text is null or c.customer_id = $4::text)
      order by c.id for update
    ), gone as (
      delete from cart c using meant where c.tenant = meant.tenant and c.id = meant.id returning 1
    )
    select (select max(id) from step) as last, (select count(*) from gone)::int as changed`;

const deleteCarts: Statement = {
  name: 'cart.erase',
  text: countedOver('select id from cart where tenant = $1 and id > $2 order by id limit $3'),
};

// Found by the index of the principal's carts, so that no customer makes us walk over those of the others. What is found
// is gone by the next step, so each step begins anew.
const deleteOwnCarts: Statement = {
  name: 'cart.erase-own',
  text: countedOver(`
    select id from cart
    where tenant || '' = $1 and placed_by || '' = $5 and deleted_at is null and customer_id = $4::text
      and $2::text is not null
    limit $3`),
};
