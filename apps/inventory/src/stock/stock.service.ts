/** Reads, counts and adjusts stock, for the people and systems that manage it. */
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { SKU } from '@shop/contracts';
import { type Preconditions, requireMatch, requireNone } from '@shop/http';
import { Ledger, type Outcome } from '@shop/idempotency';
import { Database, type Tx } from '@shop/postgres';
import { MoreThan, type Repository } from 'typeorm';
import { adjustOnce, type AdjustRequest } from './adjust-stock';
import type { Stock } from './warehouse';
import { insufficientStock, stockNotFound } from './stock-answers';
import { StockEntity } from './stock.entity';
import { adjustStock, createStock, lockOneStock } from './stock.repository';

export interface Count extends Preconditions {
  tenant: string;
  sku: string;
  onHand: number;
}

@Injectable()
export class StockService {
  constructor(
    @InjectRepository(StockEntity) private readonly stock: Repository<StockEntity>,
    private readonly database: Database,
    private readonly ledger: Ledger,
  ) {}

  /** Up to `limit` rows after the SKU `after`, in order of SKU. */
  list({ tenant, after, limit }: { tenant: string; after: string; limit: number }): Promise<Stock[]> {
    return this.stock.find({ where: { tenant, sku: MoreThan(after) }, order: { sku: 'ASC' }, take: limit });
  }

  /** @throws Problem 404 `stock_not_found` */
  async get(tenant: string, sku: string): Promise<Stock> {
    const stock = SKU.test(sku) ? await this.stock.findOneBy({ tenant, sku }) : null;
    if (!stock) throw stockNotFound();
    return stock;
  }

  /**
   * Creates the row, or sets the counted number in the version that `ifMatch` names.
   * @throws Problem 409 `insufficient_stock`, and as `requireMatch` and `requireNone` do
   */
  async put(count: Count): Promise<{ stock: Stock; created: boolean }> {
    const { tenant, sku, onHand, ifMatch } = count;
    const created = ifMatch === undefined ? await createStock(this.database, tenant, sku, onHand) : undefined;
    if (created) return { stock: created, created: true };
    return { stock: await this.database.transaction((tx) => recount(tx, count)), created: false };
  }

  adjust(request: AdjustRequest): Promise<Outcome> {
    return adjustOnce({ database: this.database, ledger: this.ledger }, request);
  }
}

/** If the number is the same, nothing changes. So a repeated PUT needs no If-Match. */
async function recount(tx: Tx, { tenant, sku, onHand, ifMatch, ifNoneMatch }: Count): Promise<Stock> {
  const stock = await lockOneStock(tx, tenant, sku);
  if (stock) requireNone(ifNoneMatch, stock.version);
  if (stock && ifMatch === undefined && stock.onHand === onHand) return stock;
  requireMatch(ifMatch, stock?.version);
  if (onHand < stock.reserved) throw insufficientStock(stock);
  return adjustStock(tx, stock, { delta: onHand - stock.onHand, reason: 'counted', cause: 'PUT' });
}
