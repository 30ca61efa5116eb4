/** What the price of a cart depends on, as it is now. Nothing is locked: the order reads all of it again. */
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { customerHash } from '@shop/contracts';
import { Database, databaseTime } from '@shop/postgres';
import { In, type Repository } from 'typeorm';
import { Product } from '../products/product.entity';
import { Promotion } from '../promotions/promotion.entity';
import { countUses, customerUsesKey } from '../promotions/promotion-uses.repository';
import type { Cart } from './cart.entity';
import type { CartToPrice } from './priced-cart';

/** Nothing depends on the time. */
const ANY_TIME = new Date(0);

@Injectable()
export class CartPrices {
  constructor(
    @InjectRepository(Product) private readonly products: Repository<Product>,
    @InjectRepository(Promotion) private readonly promotions: Repository<Promotion>,
    private readonly database: Database,
  ) {}

  /** One after the other, so that a request takes one connection at a time. @param codes in order */
  async load(cart: Cart, codes: readonly string[]): Promise<CartToPrice> {
    const { tenant, items } = cart;
    const products =
      items.length > 0 ? await this.products.findBy({ tenant, sku: In(items.map(({ sku }) => sku)) }) : [];
    const bySku = new Map(products.map((product) => [product.sku, product]));
    return { items, products: bySku, ...(await this.loadPromotions(cart, codes)) };
  }

  private async loadPromotions(
    { tenant, customerId }: Cart,
    codes: readonly string[],
  ): Promise<Pick<CartToPrice, 'wanted' | 'now'>> {
    if (codes.length === 0) return { wanted: [], now: ANY_TIME };
    const terms = await this.promotions.findBy({ tenant, code: In([...codes]) });
    const byCode = new Map(terms.map((promotion) => [promotion.code, promotion]));
    const customer = customerHash(tenant, customerId);
    const wanted = codes.map((code) => ({ tenant, code, customer }));
    const [now, uses] = await this.database.transaction((tx) => Promise.all([databaseTime(tx), countUses(tx, wanted)]));
    return {
      now,
      wanted: wanted.map((use) => ({
        code: use.code,
        terms: byCode.get(use.code),
        usedByCustomer: uses.get(customerUsesKey(use)) ?? 0,
      })),
    };
  }
}
