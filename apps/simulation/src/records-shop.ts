/** What the databases of orders and inventory hold of stock, reservations, promotions and carts at the end of a run. */
import type { Statement } from '@shop/postgres';
import type { Databases } from './databases';
import type { Line } from './shop';

export interface StockRecord {
  sku: string;
  on_hand: number;
  reserved: number;
  awaited: number;
  backorder_limit: number;
  customer_limit: number | null;
  components: Line[] | null;
}

export interface PlaceRecord {
  sku: string;
  place: string;
  on_hand: number;
  reserved: number;
}

export interface MovementRecord {
  sku: string;
  place: string | null;
  delta: number;
  reason: string;
  cause: string;
}

export interface ReservationRecord {
  id: string;
  status: string;
  lines: Line[];
  /** What it holds, or held, of what is there. */
  pieces: (Line & { place?: string })[] | null;
  /** What counts for the limits of its customer. */
  counted: Line[] | null;
  customer: string | null;
  placed_by: string | null;
  taken_by: string | null;
}

export interface BackorderRecord {
  sku: string;
  reservation_id: string;
  quantity: number;
}

export interface HoldingRecord {
  sku: string;
  customer: string;
  quantity: number;
}

export interface PromotionRecord {
  code: string;
  used: number;
  max_uses: number | null;
  max_uses_per_customer: number | null;
}

export interface UseRecord {
  code: string;
  order_id: string;
  customer: string;
  status: string;
}

export interface CartRecord {
  id: string;
  status: string;
  order_id: string | null;
}

/** A committed step of a row: see row-witness.ts. */
export interface StepRecord {
  thing: string;
  id: string;
  was: string | null;
  is_now: string;
}

export interface InventoryRecords {
  stock: StockRecord[];
  places: PlaceRecord[];
  movements: MovementRecord[];
  reservations: ReservationRecord[];
  backorders: BackorderRecord[];
  holdings: HoldingRecord[];
}

export interface PromotionRecords {
  promotions: PromotionRecord[];
  uses: UseRecord[];
  carts: CartRecord[];
}

export interface ShopRecords extends InventoryRecords, PromotionRecords {
  steps: StepRecord[];
  /** What was true for a moment, and must never be. */
  overdone: string[];
}

interface Witnessed {
  steps: StepRecord[];
  overdone: string[];
}

export async function readShopRecords({ order, inventory }: Databases, tenant: string): Promise<ShopRecords> {
  const [[stocked], [promoted]] = await Promise.all([
    inventory.query<{ all: InventoryRecords & Witnessed }>(selectInventory, [tenant]),
    order.query<{ all: PromotionRecords & Witnessed }>(selectPromotions, [tenant]),
  ]);
  const [one, other] = [stocked!.all, promoted!.all];
  return { ...one, ...other, steps: [...one.steps, ...other.steps], overdone: [...one.overdone, ...other.overdone] };
}

/** One JSON object with the rows of each select by name. */
export const rowsOfEach = (selects: Record<string, string>): string =>
  `select jsonb_build_object(${Object.entries(selects)
    .map(([name, select]) => `'${name}', (select coalesce(jsonb_agg(to_jsonb(r)), '[]') from (${select}) r)`)
    .join(', ')}) as all`;

const witnessed = {
  steps: 'select thing, id, was, is_now from sim.step where tenant = $1 order by position',
};

const withOverdone = (text: string): string =>
  `select s.all || jsonb_build_object('overdone',
     (select coalesce(jsonb_agg(what), '[]') from sim.overdone where tenant = $1)) as all from (${text}) s`;

const selectInventory: Statement = {
  name: 'simulation.inventory',
  text: withOverdone(
    rowsOfEach({
      stock: `
        select sku, on_hand, reserved, awaited, backorder_limit, customer_limit, components
        from stock where tenant = $1 order by sku`,
      places: 'select sku, place, on_hand, reserved from stock_place where tenant = $1 order by sku, place',
      movements: 'select sku, place, delta, reason, cause from stock_movement where tenant = $1 order by id',
      reservations: `
        select id, status, lines, pieces, counted, customer, placed_by, taken_by from reservation where tenant = $1
        order by created_at, id`,
      backorders: 'select sku, reservation_id, quantity from backorder where tenant = $1 order by sku, position',
      holdings: 'select sku, customer, quantity from customer_holding where tenant = $1 order by sku, customer',
      ...witnessed,
    }),
  ),
};

const selectPromotions: Statement = {
  name: 'simulation.promotions',
  text: withOverdone(
    rowsOfEach({
      promotions: 'select code, used, max_uses, max_uses_per_customer from promotion where tenant = $1 order by code',
      uses: 'select code, order_id, customer, status from promotion_use where tenant = $1 order by created_at, code',
      carts: 'select id, status, order_id from cart where tenant = $1 order by id',
      ...witnessed,
    }),
  ),
};
