/**
 * The carts of a batch of orders, with what has to stay as it is until the orders are written: the rows of the carts and
 * of their promotions are locked, the carts first, both in key order. A batch without carts sends none of this.
 */
import { customerHash } from '@shop/contracts';
import type { Tx } from '@shop/postgres';
import { cartKey, lockCarts, type LockedCart, markOrdered } from '../../carts/carts.repository';
import { loadPrices, type Money, type ProductKey } from '../../products/product';
import type { WantedPromotion } from '../../promotions/applying';
import type { PromotionTerms } from '../../promotions/promotion';
import {
  countUses,
  type CustomerUses,
  customerUsesKey,
  lockPromotions,
  promotionKey,
  type TakenUse,
  takeUses,
} from '../../promotions/promotion-uses.repository';
import type { Order } from '../order';
import type { PlaceRequest } from './place-request';

export interface OrderedCarts {
  /** By `cartKey`. */
  carts: Map<string, LockedCart>;
  /** By `priceKey`. */
  prices: Map<string, Money>;
  /** By `promotionKey`. */
  promotions: Map<string, PromotionTerms>;
  /** How often the customers of the carts have used the promotions, by `customerUsesKey`. */
  uses: Map<string, number>;
  /** What this batch has ordered. */
  ordered: { cart: LockedCart; orderId: string }[];
  taken: TakenUse[];
}

/** The first statement is sent at once. What is sent after this call sees what the carts were waited for. */
export async function loadCarts(tx: Tx, requests: readonly PlaceRequest[]): Promise<OrderedCarts> {
  const wanted = requests.flatMap(({ caller: { tenant }, body: { cartId: id } }) => (id ? [{ tenant, id }] : []));
  const none: OrderedCarts = {
    carts: new Map(),
    prices: new Map(),
    promotions: new Map(),
    uses: new Map(),
    ordered: [],
    taken: [],
  };
  if (wanted.length === 0) return none;
  const carts = await lockCarts(tx, wanted);
  const open = [...carts.values()].filter(({ orderId }) => orderId === undefined);
  const [prices, promotions, uses] = await Promise.all([
    loadPrices(tx, open.flatMap(productsOf)),
    lockPromotions(tx, open.flatMap(usesOf)),
    // Counted under the locks, because the statements run one after another.
    countUses(tx, open.flatMap(usesOf)),
  ]);
  return { ...none, carts, prices, promotions, uses };
}

export function cartOf({ carts }: OrderedCarts, tenant: string, id: string): LockedCart | undefined {
  return carts.get(cartKey({ tenant, id }));
}

/** The promotions of the cart as they are for the next order of its customer. */
export function wantedPromotions({ promotions, uses }: OrderedCarts, cart: LockedCart): WantedPromotion[] {
  return usesOf(cart).map((use) => ({
    code: use.code,
    terms: promotions.get(promotionKey(use)),
    usedByCustomer: uses.get(customerUsesKey(use)) ?? 0,
  }));
}

/** The cart becomes this order, so the orders after it in the batch find it ordered, and the promotions used. */
export function orderCart(state: OrderedCarts, cart: LockedCart, order: Order): void {
  cart.orderId = order.id;
  state.ordered.push({ cart, orderId: order.id });
  for (const use of usesOf(cart)) {
    state.promotions.get(promotionKey(use))!.used += 1;
    state.uses.set(customerUsesKey(use), (state.uses.get(customerUsesKey(use)) ?? 0) + 1);
    state.taken.push({ ...use, orderId: order.id });
  }
}

/** Behind the orders: when another replica has placed one of them, its key must be what fails. */
export function saveCarts(tx: Tx, { ordered, taken }: OrderedCarts): void {
  if (ordered.length === 0) return;
  markOrdered(
    tx,
    ordered.map(({ cart: { tenant, id }, orderId }) => ({ tenant, id, orderId })),
  );
  takeUses(tx, taken);
}

function usesOf({ tenant, customerId, promotions }: LockedCart): CustomerUses[] {
  if (promotions.length === 0) return [];
  const customer = customerHash(tenant, customerId);
  return promotions.map((code) => ({ tenant, code, customer }));
}

const productsOf = ({ tenant, items }: LockedCart): ProductKey[] => items.map(({ sku }) => ({ tenant, sku }));
