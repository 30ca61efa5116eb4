/** Checks all numbers of stock against what they are made of, at one moment, for tests. */
import type { Database, Statement } from '@shop/postgres';

/** One row for each number that is wrong; none when the books balance. */
export function faultsOfStock(database: Database): Promise<unknown[]> {
  return database.query(selectFaults);
}

const selectFaults: Statement = {
  name: 'test.stock-faults',
  text: `
    with open_piece as (
      select r.tenant, p.sku, coalesce(p.place, 'main') as place, p.quantity
      from reservation r
      cross join jsonb_to_recordset(coalesce(r.pieces, r.lines)) as p (sku text, place text, quantity bigint)
      where r.status = 'open'
    ), waiting as (
      select r.tenant, r.id, p.sku, p.quantity
      from reservation r cross join jsonb_to_recordset(r.awaited) as p (sku text, quantity bigint)
      where r.status in ('open', 'confirmed')
    ), counted as (
      select r.tenant, r.customer, p.sku, sum(p.quantity) as quantity
      from reservation r cross join jsonb_to_recordset(r.counted) as p (sku text, quantity bigint)
      where r.status in ('open', 'confirmed') group by 1, 2, 3
    ), compared as (
      select s.sku, 'on hand is what moved' as rule, s.on_hand as found,
             (select coalesce(sum(delta), 0) from stock_movement m where m.tenant = s.tenant and m.sku = s.sku) as expected
      from stock s
      union all
      select s.sku, 'reserved is what is held and awaited', s.reserved - s.awaited,
             (select coalesce(sum(p.quantity), 0) from open_piece p where p.tenant = s.tenant and p.sku = s.sku)
      from stock s
      union all
      select s.sku, 'awaited is the queue', s.awaited,
             (select coalesce(sum(b.quantity), 0) from backorder b where b.tenant = s.tenant and b.sku = s.sku)
      from stock s
      union all
      select coalesce(w.sku, b.sku), 'who waits is in the queue', coalesce(w.quantity, 0), coalesce(b.quantity, 0)
      from waiting w
      full join backorder b on b.tenant = w.tenant and b.reservation_id = w.id and b.sku = w.sku
      union all
      select s.sku, 'the places have all pieces', s.on_hand,
             (select sum(p.on_hand) from stock_place p where p.tenant = s.tenant and p.sku = s.sku)
      from stock s where s.located
      union all
      select p.sku, 'on hand at ' || p.place, p.on_hand,
             (select coalesce(sum(m.delta), 0) from stock_movement m
              where m.tenant = p.tenant and m.sku = p.sku and coalesce(m.place, 'main') = p.place)
      from stock_place p
      union all
      select p.sku, 'reserved at ' || p.place, p.reserved,
             (select coalesce(sum(o.quantity), 0) from open_piece o
              where o.tenant = p.tenant and o.sku = p.sku and o.place = p.place)
      from stock_place p
      union all
      select coalesce(h.sku, c.sku), 'holdings are what counts', coalesce(h.quantity, 0), coalesce(c.quantity, 0)
      from customer_holding h
      full join counted c on c.tenant = h.tenant and c.customer = h.customer and c.sku = h.sku
    )
    select sku, rule, found, expected from compared where found is distinct from expected`,
};
