/** Reads what the numbers of stock are made of, and writes them anew. */
import { type Database, rowsOf, type Statement, type Tx } from '@shop/postgres';
import type { FoundNumbers } from './stock-check';

export interface ChecksPage {
  tenant: string;
  after: string;
  limit: number;
}

interface Row {
  sku: string;
  on_hand: number;
  moved: number;
  reserved: number;
  held: number;
  awaited: number;
  queued: number;
  locations: FoundNumbers['locations'] | null;
}

/** The numbers of up to `limit` SKUs after the SKU `after`, all as they were at one moment. */
export async function findNumbers(database: Database, { tenant, after, limit }: ChecksPage): Promise<FoundNumbers[]> {
  return (await database.query<Row>(selectPage, [tenant, after, limit])).map(numbersOf);
}

/** The numbers of one SKU, whose row this transaction has locked. */
export async function findNumbersOf(tx: Tx, tenant: string, sku: string): Promise<FoundNumbers> {
  const [row] = await tx.query<Row>(selectOne, [tenant, sku]);
  return numbersOf(row!);
}

/** Sends what the reservations and the queue say, to the row that this transaction has locked and to what it guards. */
export function rewriteNumbers(tx: Tx, tenant: string, { sku, held, queued, locations = [] }: FoundNumbers): void {
  tx.send(updateStock, [tenant, sku, held, queued]);
  if (locations.length > 0)
    tx.send(updatePlaces, [tenant, sku, rowsOf(locations.map(({ location, held }) => ({ place: location, held })))]);
}

export interface Repair {
  tenant: string;
  sku: string;
  by: string;
  reason: string;
  before: object;
  after: object;
}

export function insertRepair(tx: Tx, { tenant, sku, by, reason, before, after }: Repair): void {
  tx.send(insertRepairRow, [tenant, sku, by, reason, JSON.stringify(before), JSON.stringify(after)]);
}

const numbersOf = (row: Row): FoundNumbers => ({
  sku: row.sku,
  onHand: row.on_hand,
  moved: row.moved,
  reserved: row.reserved,
  held: row.held,
  awaited: row.awaited,
  queued: row.queued,
  locations: row.locations ?? undefined,
});

/**
 * One statement sees one moment, and at each moment the numbers agree. The open reservations are read once for the whole
 * page; with the words `tenant || ''` they are found by the index of the open ones. What has no place stands at `main`.
 */
const numbersOfPage = (page: string): string => `
  with page as materialized (
    select tenant, sku, on_hand, reserved, awaited, located from stock where ${page}
  ), held as materialized (
    select piece.sku, coalesce(piece.place, 'main') as place, sum(piece.quantity)::bigint as quantity
    from reservation r
    cross join lateral jsonb_to_recordset(coalesce(r.pieces, r.lines)) as piece (sku text, quantity bigint, place text)
    where r.tenant || '' = $1 and r.status = 'open' and piece.sku in (select sku from page)
    group by 1, 2
  )
  select p.sku, p.on_hand, p.reserved, p.awaited, moved.quantity as moved, queue.quantity as queued,
         queue.quantity + (select coalesce(sum(h.quantity), 0)::bigint from held h where h.sku = p.sku) as held,
         places.locations
  from page p
  cross join lateral (
    select coalesce(sum(m.delta), 0)::bigint as quantity
    from stock_movement m where m.tenant = p.tenant and m.sku = p.sku
  ) as moved
  cross join lateral (
    select coalesce(sum(b.quantity), 0)::bigint as quantity
    from backorder b where b.tenant = p.tenant and b.sku = p.sku
  ) as queue
  cross join lateral (
    select jsonb_agg(jsonb_build_object(
      'location', s.place, 'onHand', s.on_hand, 'reserved', s.reserved,
      'moved', (select coalesce(sum(m.delta), 0) from stock_movement m
                where m.tenant = s.tenant and m.sku = s.sku and coalesce(m.place, 'main') = s.place),
      'held', (select coalesce(sum(h.quantity), 0) from held h where h.sku = s.sku and h.place = s.place)
    ) order by s.place) as locations
    from stock_place s where p.located and s.tenant = p.tenant and s.sku = p.sku
  ) as places
  order by p.sku`;

const selectPage: Statement = {
  name: 'stock.check-page',
  text: numbersOfPage('tenant = $1 and sku > $2 order by sku limit $3'),
};

const selectOne: Statement = { name: 'stock.check-one', text: numbersOfPage('tenant = $1 and sku = $2') };

const updateStock: Statement = {
  name: 'stock.repair',
  text: `
    update stock set reserved = $3, awaited = $4, version = version + 1, updated_at = now()
    where tenant = $1 and sku = $2`,
};

const updatePlaces: Statement = {
  name: 'stock-place.repair',
  text: `
    update stock_place s set reserved = c.held
    from jsonb_to_recordset($3::jsonb) as c (place text, held bigint)
    where s.tenant = $1 and s.sku = $2 and s.place = c.place`,
};

const insertRepairRow: Statement = {
  name: 'stock-repair.insert',
  text: `
    insert into stock_repair (tenant, sku, by, reason, before, after)
    values ($1, $2, $3, $4, $5::jsonb, $6::jsonb)`,
};
