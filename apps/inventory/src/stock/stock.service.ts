/** Counts, adjusts and places stock, and changes what is allowed for it, for the people and systems that manage it. */
import { Injectable } from '@nestjs/common';
import { type Preconditions, requireMatch, requireNone } from '@shop/http';
import { Ledger, type Outcome } from '@shop/idempotency';
import { Database, type Tx } from '@shop/postgres';
import { FillingBackorders } from '../reservations/filling-backorders';
import { adjustOnce, type AdjustRequest } from './adjust-stock';
import { type LocationCount, putLocation } from './put-location';
import { isFillable, type Stock } from './stock';
import { insufficientStock, locationRequired, stockIsBundle, stockNotFound } from './stock-answers';
import { StockReader, type StockPage } from './stock-reader';
import { changePolicy, lockPlacedStock } from './stock-settings.repository';
import { adjustStock, createStock, lockOneStock } from './stock.repository';
import { plain, type ShownStock } from './stock.view';

export interface Count extends Preconditions {
  tenant: string;
  sku: string;
  onHand: number;
}

export interface WantedPolicy {
  tenant: string;
  sku: string;
  backorderLimit: number;
  customerLimit: number | null;
  ifMatch?: string;
}

@Injectable()
export class StockService {
  constructor(
    private readonly reader: StockReader,
    private readonly database: Database,
    private readonly ledger: Ledger,
    private readonly filling: FillingBackorders,
  ) {}

  /** Up to `limit` SKUs after the SKU `after`, in order of SKU. */
  list(page: StockPage): Promise<ShownStock[]> {
    return this.reader.list(page);
  }

  /** Those of these SKUs that there are, in order of SKU. */
  some(tenant: string, skus: readonly string[], below?: number): Promise<ShownStock[]> {
    return this.reader.some(tenant, skus, below);
  }

  /** @throws Problem 404 `stock_not_found` */
  get(tenant: string, sku: string): Promise<ShownStock> {
    return this.reader.get(tenant, sku);
  }

  /**
   * Creates the row, or sets the counted number in the version that `ifMatch` names.
   * @throws Problem 409 `insufficient_stock`, `location_required` or `stock_is_bundle`, and as `requireMatch` and
   * `requireNone` do
   */
  async put(count: Count): Promise<{ shown: ShownStock; created: boolean }> {
    const { tenant, sku, onHand, ifMatch } = count;
    const created = ifMatch === undefined ? await createStock(this.database, tenant, sku, onHand) : undefined;
    if (created) return { shown: plain(created), created: true };
    const shown = await this.database.transaction((tx) => recount(tx, count));
    this.tellOfPieces(shown.stock);
    return { shown, created: false };
  }

  async adjust(request: AdjustRequest): Promise<Outcome> {
    const outcome = await adjustOnce({ database: this.database, ledger: this.ledger }, request);
    if (request.delta > 0 && outcome.kind === 'fresh') this.filling.expectNow();
    return outcome;
  }

  /** @throws Problem as `putLocation` does */
  async putLocation(count: LocationCount): Promise<{ shown: ShownStock; created: boolean }> {
    const { shown, created } = await this.database.transaction((tx) => putLocation(tx, count));
    this.tellOfPieces(shown.stock);
    return { shown, created };
  }

  /**
   * Changes the policy in the version that `ifMatch` names. The same policy again changes nothing.
   * @throws Problem 404 `stock_not_found`, 409 `stock_is_bundle`, and as `requireMatch` does
   */
  putPolicy({ tenant, sku, ifMatch, ...policy }: WantedPolicy): Promise<Stock> {
    return this.database.transaction(async (tx) => {
      const stock = await lockOneStock(tx, tenant, sku);
      if (!stock) throw stockNotFound();
      const { backorderLimit, customerLimit } = policy;
      const isSame = stock.backorderLimit === backorderLimit && stock.customerLimit === customerLimit;
      if (isSame && ifMatch === undefined) return stock;
      requireMatch(ifMatch, stock.version);
      if (stock.components && backorderLimit > 0) throw stockIsBundle();
      changePolicy(tx, stock, policy);
      return { ...stock, ...policy, version: stock.version + 1 };
    });
  }

  private tellOfPieces(stock: Stock): void {
    if (isFillable(stock)) this.filling.expectNow();
  }
}

/** If the number is the same, nothing changes. So a repeated PUT needs no If-Match. */
async function recount(tx: Tx, { tenant, sku, onHand, ifMatch, ifNoneMatch }: Count): Promise<ShownStock> {
  const { stock, places } = (await lockPlacedStock(tx, tenant, sku)) ?? { places: [] };
  if (stock) requireNone(ifNoneMatch, stock.version);
  if (stock?.components) throw stockIsBundle();
  if (stock && ifMatch === undefined && stock.onHand === onHand) return { stock, places };
  requireMatch(ifMatch, stock?.version);
  if (stock.located) throw locationRequired();
  const held = stock.reserved - stock.awaited;
  if (onHand < held) throw insufficientStock({ reserved: held });
  return plain(adjustStock(tx, stock, { delta: onHand - stock.onHand, reason: 'counted', cause: 'PUT' }));
}
