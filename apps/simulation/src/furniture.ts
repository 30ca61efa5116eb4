/** Puts the catalogue, the stock, the promotions and the carts of a run in place, as if they had always been there. */
import type { Statement } from '@shop/postgres';
import type { Databases } from './databases';
import { PRICE, type Script } from './script';
import { BUNDLE, type Shop } from './shop';

export async function furnish(databases: Databases, script: Script): Promise<void> {
  const { tenant, stock, shop } = script;
  const skus = Object.keys(stock);
  for (const statement of endFollowing) await databases.fulfilment.query(statement);
  await databases.order.query(insertProducts, [tenant, PRICE, shop?.bundle ? [...skus, BUNDLE] : skus]);
  await databases.inventory.query(insertStock, [tenant, skus, Object.values(stock)]);
  if (shop) await furnishShop(databases, tenant, shop);
}

async function furnishShop({ order, inventory }: Databases, tenant: string, shop: Shop): Promise<void> {
  const { settings, bundle, promotions, carts } = shop;
  const located = Object.entries(settings).flatMap(([sku, { places = {} }]) =>
    Object.entries(places).map(([place, onHand]) => ({ sku, place, on_hand: onHand })),
  );
  const policies = Object.entries(settings).map(([sku, { backorderLimit, customerLimit, places }]) => ({
    sku,
    backorder_limit: backorderLimit,
    customer_limit: customerLimit,
    located: places !== undefined,
  }));
  if (policies.length > 0) await inventory.query(updatePolicies, [tenant, JSON.stringify(policies)]);
  if (located.length > 0) await inventory.query(insertPlaces, [tenant, JSON.stringify(located)]);
  if (bundle) await inventory.query(insertBundle, [tenant, BUNDLE, JSON.stringify(bundle)]);
  if (promotions.length > 0) await order.query(insertPromotions, [tenant, JSON.stringify(promotions)]);
  if (carts.length > 0) await order.query(insertCarts, [tenant, JSON.stringify(carts)]);
}

/** What follows earlier runs is not looked for any more: their time was another one. */
const endFollowing: Statement[] = [
  { name: 'simulation.end-deliveries', text: 'update delivery set next_at = null where next_at is not null' },
  {
    name: 'simulation.end-notifications',
    text: `update notification set status = 'suppressed' where status in ('queued', 'sending')`,
  },
  { name: 'simulation.end-orders', text: 'update heard_order set due_at = null where due_at is not null' },
  { name: 'simulation.end-refunds', text: 'update heard_refund set done = true where not done' },
];

const insertProducts: Statement = {
  name: 'simulation.insert-products',
  text: `
    insert into product (tenant, sku, name, price_amount, price_currency)
    select $1, sku, sku, $2, 'EUR' from unnest($3::text[]) as sku`,
};

const insertStock: Statement = {
  name: 'simulation.insert-stock',
  text: `
    with made as (
      insert into stock (tenant, sku, on_hand) select $1, sku, pieces from unnest($2::text[], $3::int[]) as s (sku, pieces)
      returning tenant, sku, on_hand
    )
    insert into stock_movement (tenant, sku, delta, reason, cause)
    select tenant, sku, on_hand, 'counted', 'PUT' from made`,
};

const updatePolicies: Statement = {
  name: 'simulation.update-policies',
  text: `
    update stock s
    set backorder_limit = p.backorder_limit, customer_limit = p.customer_limit, located = p.located
    from jsonb_to_recordset($2::jsonb) as p (sku text, backorder_limit int, customer_limit int, located boolean)
    where s.tenant = $1 and s.sku = p.sku`,
};

/** The movements tell where the pieces came to. */
const insertPlaces: Statement = {
  name: 'simulation.insert-places',
  text: `
    with made as (
      insert into stock_place (tenant, sku, place, on_hand)
      select $1, sku, place, on_hand from jsonb_to_recordset($2::jsonb) as p (sku text, place text, on_hand int)
      returning sku, place, on_hand
    ), gone as (
      delete from stock_movement m where m.tenant = $1 and m.sku in (select sku from made)
    )
    insert into stock_movement (tenant, sku, place, delta, reason, cause)
    select $1, sku, place, on_hand, 'counted', 'PUT' from made where on_hand > 0`,
};

const insertBundle: Statement = {
  name: 'simulation.insert-bundle',
  text: `insert into stock (tenant, sku, on_hand, components) values ($1, $2, 0, $3::jsonb)`,
};

const insertPromotions: Statement = {
  name: 'simulation.insert-promotions',
  text: `
    insert into promotion (tenant, code, kind, percent, max_uses, max_uses_per_customer, combinable)
    select $1, code, 'percent', percent, "maxUses", "maxUsesPerCustomer", true
    from jsonb_to_recordset($2::jsonb) as p (code text, percent int, "maxUses" int, "maxUsesPerCustomer" int)`,
};

const insertCarts: Statement = {
  name: 'simulation.insert-carts',
  text: `
    with wanted as (
      select * from jsonb_to_recordset($2::jsonb) as c (id text, "placedBy" text, customer text, items jsonb, codes jsonb)
    ), made as (
      insert into cart (tenant, id, placed_by, customer_id, items)
      select $1, id, "placedBy", customer, items from wanted
      returning id
    )
    insert into cart_promotion (tenant, cart_id, code)
    select $1, id, code from made join wanted using (id) cross join jsonb_array_elements_text(wanted.codes) as code`,
};
