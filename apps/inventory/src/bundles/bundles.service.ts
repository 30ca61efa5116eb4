/** Reads and changes what SKUs stand for. */
import { isDeepStrictEqual } from 'node:util';
import { Injectable } from '@nestjs/common';
import { type Preconditions, requireMatch, requireNone } from '@shop/http';
import { Database, isUniqueViolation, type Tx } from '@shop/postgres';
import type { Stock } from '../stock/stock';
import { StockReader } from '../stock/stock-reader';
import { lockOneStock, lockStock } from '../stock/stock.repository';
import {
  bundleNotFound,
  type BundleView,
  type ComponentBody,
  nestedBundle,
  sortedComponents,
  stockExists,
  unknownComponents,
} from './bundle';
import { changeComponents, findBundlesWith, insertBundle, STOCK_PRIMARY_KEY } from './bundles.repository';

interface BundleKey {
  tenant: string;
  sku: string;
}

export interface WantedBundle extends BundleKey, Preconditions {
  components: readonly ComponentBody[];
}

@Injectable()
export class BundlesService {
  constructor(
    private readonly stock: StockReader,
    private readonly database: Database,
  ) {}

  /** @throws Problem 404 `bundle_not_found` */
  async get(tenant: string, sku: string): Promise<BundleView> {
    const stock = await this.stock.find(tenant, sku);
    if (!stock?.components) throw bundleNotFound();
    return { sku, components: stock.components, version: stock.version };
  }

  /**
   * Creates the bundle, or changes the version that `ifMatch` names.
   * @throws Problem 409 `stock_exists`, 422 `nested_bundle` or `unknown_sku`, and as `requireMatch` and `requireNone` do
   */
  put(wanted: WantedBundle): Promise<{ bundle: BundleView; created: boolean }> {
    const sorted = { ...wanted, components: sortedComponents(wanted.components) };
    // Somebody else has created the SKU meanwhile. Run again and see it.
    return this.database.transaction(
      (tx) => put(tx, sorted),
      (error) => isUniqueViolation(error, STOCK_PRIMARY_KEY),
    );
  }

  /**
   * The SKU is no bundle afterwards, and was perhaps none before.
   * @param allow throws when it must not be changed as it is now; it is not called when there is nothing to change
   */
  async delete({ tenant, sku }: BundleKey, allow: (stock: Stock) => void): Promise<void> {
    await this.database.transaction(async (tx) => {
      const stock = await lockOneStock(tx, tenant, sku);
      if (!stock?.components) return;
      allow(stock);
      changeComponents(tx, tenant, sku, null);
    });
  }
}

/**
 * The rows of the bundle and of its components are locked, in key order. Whoever makes a bundle of one of them locks it,
 * too, so two bundles that are made at the same time cannot end up in one another.
 */
async function put(tx: Tx, wanted: WantedBundle): Promise<{ bundle: BundleView; created: boolean }> {
  const { tenant, sku, components, ifMatch, ifNoneMatch } = wanted;
  const skus = [sku, ...components.map((component) => component.sku)];
  const rows = await lockStock(
    tx,
    skus.map((one) => ({ tenant, sku: one })),
  );
  const stock = rows.find((row) => row.sku === sku);
  if (stock) requireNone(ifNoneMatch, stock.version);
  if (stock?.components && ifMatch === undefined && isDeepStrictEqual(stock.components, components))
    return { bundle: { sku, components: stock.components, version: stock.version }, created: false };
  // A bundle has none.
  if (stock && (stock.onHand > 0 || stock.reserved > 0 || stock.awaited > 0)) throw stockExists();
  if (stock || ifMatch !== undefined) requireMatch(ifMatch, stock?.version);
  await checkComponents(tx, wanted, rows);
  if (!stock) {
    insertBundle(tx, tenant, sku, components);
    return { bundle: { sku, components: [...components], version: 1 }, created: true };
  }
  changeComponents(tx, tenant, sku, components);
  return { bundle: { sku, components: [...components], version: stock.version + 1 }, created: false };
}

/** @throws Problem 422 `nested_bundle` or `unknown_sku` */
async function checkComponents(
  tx: Tx,
  { tenant, sku, components }: WantedBundle,
  rows: readonly Stock[],
): Promise<void> {
  const skus = components.map((component) => component.sku);
  const nested = rows.filter((row) => row.sku !== sku && row.components).map((row) => row.sku);
  if (skus.includes(sku)) nested.push(sku);
  if (nested.length > 0) throw nestedBundle(nested);
  const unknown = skus.filter((one) => !rows.some((row) => row.sku === one));
  if (unknown.length > 0) throw unknownComponents(unknown);
  if ((await findBundlesWith(tx, tenant, sku)).length > 0) throw nestedBundle([sku]);
}
