/** The catalogue: creates and changes one product at a time, and loses no change. */
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { SKU } from '@shop/contracts';
import { type Preconditions, requireMatch, requireNone } from '@shop/http';
import { insertIfAbsent } from '@shop/postgres';
import { Problem } from '@shop/problem';
import type { Repository } from 'typeorm';
import type { ProductBody, ProductKey } from './product';
import { Product } from './product.entity';

export interface ProductsPage {
  tenant: string;
  after: string;
  text?: string;
  limit: number;
}

@Injectable()
export class ProductsService {
  constructor(@InjectRepository(Product) private readonly products: Repository<Product>) {}

  /**
   * Up to `limit` products after the SKU `after`, in order of SKU; with `text` only those that have it in their name or
   * SKU, in capital or small letters. It is no pattern: no character in it stands for others.
   */
  list({ tenant, after, text, limit }: ProductsPage): Promise<Product[]> {
    const query = this.products
      .createQueryBuilder('p')
      .where('p.tenant = :tenant and p.sku > :after', { tenant, after });
    if (text !== undefined) {
      query.andWhere('(strpos(lower(p.name), lower(:text)) > 0 or strpos(lower(p.sku), lower(:text)) > 0)', { text });
    }
    return query.orderBy('p.sku').limit(limit).getMany();
  }

  /** @throws Problem 404 `product_not_found` */
  async get(key: ProductKey): Promise<Product> {
    const product = SKU.test(key.sku) ? await this.find(key) : undefined;
    if (!product) throw new Problem(404, 'product_not_found', 'there is no product with this SKU');
    return product;
  }

  /**
   * Creates the product, or changes the version that `ifMatch` names. If the content is the same, nothing changes, so a
   * repeat needs no `ifMatch`.
   * @throws Problem 412, 428 or 400, as `requireMatch` and `requireNone` do
   */
  async put(
    key: ProductKey,
    body: ProductBody,
    { ifMatch, ifNoneMatch }: Preconditions,
  ): Promise<{ product: Product; created: boolean }> {
    const created = ifMatch === undefined ? await this.create(key, body) : undefined;
    if (created) return { product: created, created: true };
    for (;;) {
      const current = await this.find(key);
      if (current) requireNone(ifNoneMatch, current.version);
      if (current && ifMatch === undefined && sameContent(current, body)) return { product: current, created: false };
      requireMatch(ifMatch, current?.version);
      const changed = await this.change(current, body);
      if (changed) return { product: changed, created: false };
      // Somebody else wrote between our read and our write. The next round reads the new row.
    }
  }

  private async find({ tenant, sku }: ProductKey): Promise<Product | undefined> {
    return (await this.products.findOneBy({ tenant, sku })) ?? undefined;
  }

  /** Returns undefined when there is a product already. */
  private async create({ tenant, sku }: ProductKey, { name, unitPrice }: ProductBody): Promise<Product | undefined> {
    const values = { tenant, sku, name, unitPrice };
    const row = await insertIfAbsent(this.products, values, 'version');
    return row && this.products.create({ ...values, ...row });
  }

  /** Returns undefined when the version is no longer this one. */
  private async change(current: Product, { name, unitPrice }: ProductBody): Promise<Product | undefined> {
    const { tenant, sku, version } = current;
    const { affected } = await this.products.update({ tenant, sku, version }, { name, unitPrice });
    if (affected === 0) return undefined;
    return this.products.create({ tenant, sku, name, unitPrice, version: version + 1 });
  }
}

function sameContent(product: Product, { name, unitPrice }: ProductBody): boolean {
  return (
    product.name === name &&
    product.unitPrice.amount === unitPrice.amount &&
    product.unitPrice.currency === unitPrice.currency
  );
}
