/** Puts carts into a database of a test, with the promotions that they shall be ordered with. */
import { randomUUID } from 'node:crypto';
import { callers, type OrderApp } from './order-app';

export interface CartWish {
  id?: string;
  placedBy?: string;
  customerId?: string;
  items?: { sku: string; quantity: number }[];
  /** Codes of promotions. */
  promotions?: string[];
}

/** Alice's cart of two cups, unless a wish says something else. Returns its id. */
export async function fillCart(app: OrderApp, wish: CartWish = {}): Promise<string> {
  const { id = `cart-${randomUUID()}`, placedBy = 'alice', customerId = 'alice', promotions = [] } = wish;
  const items = JSON.stringify(wish.items ?? [{ sku: 'cup', quantity: 2 }]);
  await app.query(
    `with made as (insert into cart (tenant, id, placed_by, customer_id, items) values ('acme', $1, $2, $3, $4::jsonb))
     select 1`,
    [id, placedBy, customerId, items],
  );
  for (const code of promotions) {
    await app.query(`insert into cart_promotion (tenant, cart_id, code) values ('acme', $1, $2)`, [id, code]);
  }
  return id;
}

/** Creates the promotion through the API. Returns its code. */
export async function putPromotion(
  app: OrderApp,
  terms: object = { kind: 'percent', percent: 10 },
  code = `P-${randomUUID().toUpperCase()}`,
): Promise<string> {
  await app.put(`/promotions/${code}`, terms, { key: callers.operator });
  return code;
}

/** An order of this cart. */
export const cartBody = (cartId: string, changed: object = {}): object => ({
  cartId,
  payment: { source: 'tok_ok' },
  ...changed,
});
