/** Reads stock as it is shown: with the places of a SKU that has some, and the stock of the components of a bundle. */
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { SKU } from '@shop/contracts';
import { In, type Repository, type SelectQueryBuilder } from 'typeorm';
import { PlaceEntity } from './place.entity';
import { stockNotFound } from './stock-answers';
import { StockEntity } from './stock.entity';
import type { ShownStock } from './stock.view';

export interface StockPage {
  tenant: string;
  after: string;
  limit: number;
  /** Only SKUs with fewer free pieces than this. Bundles have no pieces of their own, and are left out. */
  below?: number;
}

@Injectable()
export class StockReader {
  constructor(
    @InjectRepository(StockEntity) private readonly stock: Repository<StockEntity>,
    @InjectRepository(PlaceEntity) private readonly places: Repository<PlaceEntity>,
  ) {}

  /** Up to `limit` SKUs after the SKU `after`, in order of SKU. */
  async list(page: StockPage): Promise<ShownStock[]> {
    return this.complete(page.tenant, await this.queryFor(page).getMany());
  }

  /** Those of these SKUs that there are, in order of SKU. */
  async some(tenant: string, skus: readonly string[], below?: number): Promise<ShownStock[]> {
    const query = this.queryFor({ tenant, after: '', limit: skus.length, below });
    const rows = await query.andWhere('s.sku in (:...skus)', { skus }).getMany();
    return this.complete(tenant, rows);
  }

  /** @throws Problem 404 `stock_not_found` */
  async get(tenant: string, sku: string): Promise<ShownStock> {
    const stock = await this.find(tenant, sku);
    if (!stock) throw stockNotFound();
    const [shown] = await this.complete(tenant, [stock]);
    return shown!;
  }

  async find(tenant: string, sku: string): Promise<StockEntity | null> {
    return SKU.test(sku) ? this.stock.findOneBy({ tenant, sku }) : null;
  }

  private queryFor({ tenant, after, limit, below }: StockPage): SelectQueryBuilder<StockEntity> {
    const query = this.stock.createQueryBuilder('s').where('s.tenant = :tenant and s.sku > :after', { tenant, after });
    // Awaited pieces are reserved and not on hand, so the difference may be negative.
    if (below !== undefined)
      query.andWhere('greatest(0, s.on_hand - s.reserved) < :below and s.components is null', { below });
    return query.orderBy('s.sku').limit(limit);
  }

  /** One read for the places of all of them, and one for the components of all of them, and only if there are any. */
  private async complete(tenant: string, rows: readonly StockEntity[]): Promise<ShownStock[]> {
    const located = rows.filter((row) => row.located).map(({ sku }) => sku);
    const skus = new Set(rows.flatMap(({ components }) => components ?? []).map(({ sku }) => sku));
    const [places, parts] = await Promise.all([
      located.length === 0 ? [] : this.places.find({ where: { tenant, sku: In(located) }, order: { place: 'ASC' } }),
      skus.size === 0 ? [] : this.stock.findBy({ tenant, sku: In([...skus]) }),
    ]);
    const bySku = new Map(parts.map((part) => [part.sku, part]));
    return rows.map((stock) => ({
      stock,
      places: places.filter(({ sku }) => sku === stock.sku),
      parts: stock.components?.map(({ sku, quantity }) => ({ quantity, stock: bySku.get(sku) })),
    }));
  }
}
