/** Erases what people wrote about movements of stock. The movements stay: stock is their sum. */
import { ERASED } from '@shop/messaging';
import type { Statement } from '@shop/postgres';
import type { OwnData } from '@shop/service';

const MOVEMENTS_PER_STEP = 1_000;

interface Step {
  last: string | null;
  changed: number;
}

export const stockData: OwnData = {
  erase: async (database, { tenant, customerId }) => {
    let rows = 0;
    for (let after: string | null = ''; after !== null;) {
      const values: unknown[] = [tenant, after, MOVEMENTS_PER_STEP, customerId ?? null, ERASED];
      const [step]: Step[] = await database.query<Step>(eraseReasons, values);
      rows += step!.changed;
      after = step!.last;
    }
    return [{ table: 'stock_movement', what: 'reasons of adjustments', rows }];
  },
};

// Only the reason of an adjustment was written by a person. Adjustments have an index by their cause, which is their
// request; the movements of orders, which are many more, are not in it.
const eraseReasons: Statement = {
  name: 'stock-movement.erase-reasons',
  text: `
    with step as (
      select id, tenant, reason, cause from stock_movement
      where cause like 'POST %' and cause > $2 order by cause limit $3
    ), changed as (
      update stock_movement m set reason = $5
      from step
      where m.id = step.id and step.tenant = $1 and step.reason <> $5
        and ($4::text is null or position($4::text in step.reason) > 0)
      returning 1
    )
    select (select max(cause) from step) as last, (select count(*) from changed)::int as changed`,
};
