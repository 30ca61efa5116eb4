/** In which order a cart is put together for its screen. */
import type { Neighbours } from '../neighbours/neighbours';
import type { Cart } from './cart.entity';
import type { CartPrices } from './cart-prices';
import { ShownCarts } from './shown-carts';

const cart = { tenant: 'acme', id: 'c', customerId: 'alice', items: [{ sku: 'cup', quantity: 1 }], promotions: [] };

describe('R54 a cart that is shown', () => {
  const showing = async (status: Cart['status']) => {
    const done: string[] = [];
    const note = <T>(what: string, answer: T): Promise<T> => {
      done.push(what);
      return Promise.resolve(answer);
    };
    const prices = { load: () => note('prices', { items: [], wanted: [], products: new Map(), now: new Date(0) }) };
    const neighbours = { readStock: () => note('stock', 'away' as const) };
    const shown = new ShownCarts(prices as unknown as CartPrices, neighbours as unknown as Neighbours);
    const { degraded } = await shown.show({ ...cart, status, version: 1 } as unknown as Cart, () => done.push('turn'));
    return { done, degraded };
  };

  it('R54 holds no turn for the database while inventory is asked', async () => {
    expect(await showing('open')).toEqual({ done: ['prices', 'turn', 'stock'], degraded: ['stock'] });
  });

  it('asks for no stock when it is ordered', async () => {
    expect(await showing('ordered')).toEqual({ done: ['prices'], degraded: [] });
  });
});
