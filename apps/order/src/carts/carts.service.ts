/**
 * Carts: makes, changes and deletes one at a time, and loses no change.
 *
 * Each change is written under the version that was read for it. When somebody else was faster, nothing is written, and
 * the next round decides by the new row: the change may be made there too, or be refused, or there is nothing left to
 * do. A round is only repeated because another change was made, so there is no round without progress.
 */
import { isDeepStrictEqual } from 'node:util';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type MergePatch, patched, type Preconditions, requireMatch, requireNone, isVisible } from '@shop/http';
import { Database } from '@shop/postgres';
import { Problem } from '@shop/problem';
import { In, type Repository, type SelectQueryBuilder } from 'typeorm';
import {
  CartBody,
  type CartItem,
  type CartKey,
  cartNotFound,
  type CartOfCaller,
  refuseOrdered,
  refuseOtherCustomer,
} from './cart';
import { Cart, CartPromotion } from './cart.entity';
import { emptyCart, insertCart } from './carts.repository';

export interface WrittenCart {
  cart: Cart;
  created: boolean;
}

export interface CartsPage {
  tenant: string;
  /** Only those of this principal. */
  placedBy?: string;
  before?: string;
  limit: number;
}

const createdAt = 'select b.created_at from cart b where b.tenant = :tenant and b.id = :before';

@Injectable()
export class CartsService {
  constructor(
    @InjectRepository(Cart) private readonly carts: Repository<Cart>,
    @InjectRepository(CartPromotion) private readonly promotions: Repository<CartPromotion>,
    private readonly database: Database,
  ) {}

  /** Newest first, by the clock of the database; up to `limit` carts behind the cart `before`. */
  async list(page: CartsPage): Promise<Cart[]> {
    const carts = await this.queryFor(page).getMany();
    const wanted = { tenant: page.tenant, cartId: In(carts.map(({ id }) => id)) };
    const promotions = carts.length > 0 ? await this.promotions.findBy(wanted) : [];
    for (const cart of carts) cart.promotions = promotions.filter(({ cartId }) => cartId === cart.id);
    return carts;
  }

  /** The query is public for the tests, which check its plan. */
  queryFor({ tenant, placedBy, before, limit }: CartsPage): SelectQueryBuilder<Cart> {
    // In the words of the indexes of the lists.
    const query = this.carts.createQueryBuilder('c').where(`c.tenant || '' = :tenant`, { tenant });
    if (placedBy !== undefined) query.andWhere(`c.placed_by || '' = :placedBy`, { placedBy });
    if (before !== undefined) query.andWhere(`(c.created_at, c.id) < ((${createdAt}), :before)`, { before });
    return query.orderBy('c.createdAt', 'DESC').addOrderBy('c.id', 'DESC').limit(limit);
  }

  /** With the codes of its promotions in order. Undefined when the caller sees none. */
  async find(key: CartOfCaller): Promise<Cart | undefined> {
    const cart = await this.findForAll(key);
    return cart && isVisible(cart, key) ? cart : undefined;
  }

  /** @throws Problem 404 `cart_not_found` */
  async get(key: CartOfCaller): Promise<Cart> {
    const cart = await this.find(key);
    if (!cart) throw cartNotFound();
    return cart;
  }

  /**
   * Makes the cart, or changes the version that `ifMatch` names. If the content is the same, nothing changes, so a
   * repeat needs no `ifMatch`.
   * @throws Problem 409 `cart_id_conflict`, `already_submitted` or `cart_of_another_customer`, and 412, 428 or 400 as
   * `requireMatch` and `requireNone` do
   */
  async put(key: CartOfCaller, body: CartBody, { ifMatch, ifNoneMatch }: Preconditions): Promise<WrittenCart> {
    const items = itemsOf(body);
    for (;;) {
      const current = await this.findForAll(key);
      if (!current) {
        if (ifMatch !== undefined) requireMatch(ifMatch, undefined);
        const cart = await this.create(key, body.customerId, items);
        if (cart) return { cart, created: true };
        continue;
      }
      if (!isVisible(current, key)) throw new Problem(409, 'cart_id_conflict', 'somebody else has a cart with this id');
      refuseOrdered(current);
      refuseOtherCustomer(current, body);
      if (ifNoneMatch !== undefined) requireNone(ifNoneMatch, current.version);
      const isSame = isDeepStrictEqual(current.items, items);
      if (isSame && ifMatch === undefined) return { cart: current, created: false };
      requireMatch(ifMatch, current.version);
      const cart = isSame ? current : await this.change(current, items);
      if (cart) return { cart, created: false };
    }
  }

  /**
   * @throws Problem 404 `cart_not_found`, 409 `already_submitted` or `cart_of_another_customer`, 400 `validation_failed`
   * when the patch makes no cart, and 412, 428 or 400 as `requireMatch` does
   */
  async patch(key: CartOfCaller, patch: MergePatch, ifMatch: string | undefined): Promise<Cart> {
    for (;;) {
      const current = await this.get(key);
      refuseOrdered(current);
      requireMatch(ifMatch, current.version);
      const { customerId, items } = current;
      const body = patched(CartBody, { customerId, items }, patch);
      refuseOtherCustomer(current, body);
      const isSame = isDeepStrictEqual(items, itemsOf(body));
      const cart = isSame ? current : await this.change(current, itemsOf(body));
      if (cart) return cart;
    }
  }

  /**
   * Deletes the cart; a repeat changes nothing. Whoever sees no cart there has nothing to delete.
   * @throws Problem 409 `already_submitted`, and 412 or 400 as `requireMatch` does
   */
  async delete(key: CartOfCaller, ifMatch: string | undefined): Promise<void> {
    for (;;) {
      const current = await this.find(key);
      if (!current) return;
      refuseOrdered(current);
      if (ifMatch !== undefined) requireMatch(ifMatch, current.version);
      if (await emptyCart(this.database, current)) return;
    }
  }

  private async findForAll({ tenant, id }: CartKey): Promise<Cart | undefined> {
    const query = this.carts.createQueryBuilder('c').leftJoinAndSelect('c.promotions', 'p');
    query.where('c.tenant = :tenant and c.id = :id', { tenant, id }).orderBy('p.code');
    return (await query.getOne()) ?? undefined;
  }

  /** Returns undefined when there is a cart already. */
  private async create(key: CartOfCaller, customerId: string, items: CartItem[]): Promise<Cart | undefined> {
    const values = { tenant: key.tenant, id: key.id, placedBy: key.principal, customerId, items };
    const made = await insertCart(this.database, values);
    return made && { ...values, ...made, status: 'open', updatedAt: made.createdAt, promotions: [] };
  }

  /** Returns undefined when the version is no longer this one: changed, deleted or ordered. */
  private async change(current: Cart, items: CartItem[]): Promise<Cart | undefined> {
    const { tenant, id, version } = current;
    const changed = { items, version: version + 1, updatedAt: () => 'now()' };
    const { affected } = await this.carts.update({ tenant, id, version }, changed);
    return affected ? { ...current, items, version: version + 1 } : undefined;
  }
}

/** As they are stored and compared. */
const itemsOf = ({ items }: CartBody): CartItem[] => items.map(({ sku, quantity }) => ({ sku, quantity }));
