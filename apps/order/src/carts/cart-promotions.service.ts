/** The promotions that a cart shall be ordered with. They are looked at here, and again when the cart is ordered. */
import { Injectable } from '@nestjs/common';
import { requireMatch } from '@shop/http';
import { Database } from '@shop/postgres';
import { Problem } from '@shop/problem';
import { type CartOfCaller, codesOf, MAX_PROMOTIONS, refuseOrdered } from './cart';
import type { Cart } from './cart.entity';
import { CartPrices } from './cart-prices';
import { addPromotion, removePromotion } from './carts.repository';
import { CartsService, type WrittenCart } from './carts.service';
import { objectionToAdding } from './priced-cart';

@Injectable()
export class CartPromotionsService {
  constructor(
    private readonly carts: CartsService,
    private readonly prices: CartPrices,
    private readonly database: Database,
  ) {}

  /**
   * A promotion that the cart has is not looked at again, and changes nothing. As in CartsService, a round is only
   * repeated because another change was made.
   * @throws Problem 404 `cart_not_found` or `unknown_promotion`, 409 `already_submitted`, `too_many_promotions`,
   * `promotion_expired`, `promotion_used_up` or `promotion_not_applicable`, and 412 or 400 as `requireMatch` does
   */
  async add(key: CartOfCaller, code: string, ifMatch: string | undefined): Promise<WrittenCart> {
    for (;;) {
      const current = await this.carts.get(key);
      refuseOrdered(current);
      if (ifMatch !== undefined) requireMatch(ifMatch, current.version);
      const codes = codesOf(current);
      if (codes.includes(code)) return { cart: current, created: false };
      if (codes.length >= MAX_PROMOTIONS) {
        throw new Problem(409, 'too_many_promotions', `a cart has at most ${MAX_PROMOTIONS} promotions`);
      }
      const after = [...codes, code].sort();
      await this.check(current, code, after);
      if (await addPromotion(this.database, current, code)) {
        return { cart: withCodes(current, after), created: true };
      }
    }
  }

  /**
   * A repeat changes nothing, and neither does a code that the cart does not have.
   * @returns the cart, if the caller sees one
   * @throws Problem 409 `already_submitted`, and 412 or 400 as `requireMatch` does
   */
  async remove(key: CartOfCaller, code: string, ifMatch: string | undefined): Promise<Cart | undefined> {
    for (;;) {
      const current = await this.carts.find(key);
      if (!current) return undefined;
      refuseOrdered(current);
      const codes = codesOf(current);
      if (!codes.includes(code)) return current;
      if (ifMatch !== undefined) requireMatch(ifMatch, current.version);
      if (await removePromotion(this.database, current, code)) {
        return withCodes(
          current,
          codes.filter((other) => other !== code),
        );
      }
    }
  }

  private async check(cart: Cart, code: string, after: readonly string[]): Promise<void> {
    const loaded = await this.prices.load(cart, after);
    if (!loaded.wanted.find((promotion) => promotion.code === code)?.terms) {
      throw new Problem(404, 'unknown_promotion', 'there is no promotion with this code');
    }
    const objection = objectionToAdding(code, loaded);
    if (!objection) return;
    throw new Problem(409, objection.reason, `the promotion cannot be had: ${objection.detail}`, {
      extensions: { reason: objection.detail },
    });
  }
}

const withCodes = (cart: Cart, codes: readonly string[]): Cart => {
  const { tenant, id, version } = cart;
  return {
    ...cart,
    version: version + 1,
    promotions: codes.map((code) => ({ tenant, cartId: id, code, cart })),
  };
};
