/** Writes what a SKU stands for, into a row of stock that this transaction has locked. */
import type { Statement, Tx } from '@shop/postgres';
import type { ComponentBody } from './bundle';

export const STOCK_PRIMARY_KEY = 'stock_pkey';

/** Fails with a unique violation of `STOCK_PRIMARY_KEY` if there is a row by now. */
export function insertBundle(tx: Tx, tenant: string, sku: string, components: readonly ComponentBody[]): void {
  tx.send(insert, [tenant, sku, JSON.stringify(components)]);
}

/** `null` makes an ordinary SKU of it. */
export function changeComponents(
  tx: Tx,
  tenant: string,
  sku: string,
  components: readonly ComponentBody[] | null,
): void {
  tx.send(update, [tenant, sku, components && JSON.stringify(components)]);
}

/** The bundles that the SKU is a component of; a few of them. */
export async function findBundlesWith(tx: Tx, tenant: string, sku: string): Promise<string[]> {
  const rows = await tx.query<{ sku: string }>(selectBundlesWith, [tenant, JSON.stringify([{ sku }])]);
  return rows.map((row) => row.sku);
}

const insert: Statement = {
  name: 'stock.insert-bundle',
  text: `insert into stock (tenant, sku, on_hand, components) values ($1, $2, 0, $3::jsonb)`,
};

const update: Statement = {
  name: 'stock.change-components',
  text: `
    update stock set components = $3::jsonb, version = version + 1, updated_at = now() where tenant = $1 and sku = $2`,
};

const selectBundlesWith: Statement = {
  name: 'stock.bundles-with',
  text: `
    select sku from stock where tenant = $1 and components is not null and components @> $2::jsonb order by sku limit 10`,
};
