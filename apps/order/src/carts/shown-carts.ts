/** Shows a cart: its prices, its discounts, and what is short, all of this moment. */
import { Injectable } from '@nestjs/common';
import type { EndTurn } from '@shop/http';
import { Neighbours } from '../neighbours/neighbours';
import { codesOf } from './cart';
import type { Cart } from './cart.entity';
import { CartPrices } from './cart-prices';
import { cartJson, type CartView } from './cart.view';
import { type CartToPrice, priceCart } from './priced-cart';

@Injectable()
export class ShownCarts {
  constructor(
    private readonly prices: CartPrices,
    private readonly neighbours: Neighbours,
  ) {}

  /** @param endTurn is called before inventory is asked, which may take its time */
  async show(cart: Cart, endTurn: EndTurn): Promise<CartView> {
    const loaded = await this.prices.load(cart, codesOf(cart));
    if (cart.status === 'ordered') return cartJson(cart, priceCart(asOrdered(loaded)));
    endTurn();
    const skus = cart.items.map(({ sku }) => sku);
    const stock = await this.neighbours.readStock(cart.tenant, skus);
    return cartJson(cart, priceCart(loaded), stock);
  }
}

/** Its order has used the promotions, perhaps as the last one and just in time. */
function asOrdered({ wanted, ...rest }: CartToPrice): CartToPrice {
  const held = wanted.map(({ code, terms }) => ({
    code,
    usedByCustomer: 0,
    terms: terms && { ...terms, maxUses: undefined, endsAt: undefined },
  }));
  return { ...rest, wanted: held };
}
