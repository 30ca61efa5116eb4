/** Puts a product into the catalogue of a test that has only a database. */
import type { Database, Statement } from '@shop/postgres';
import type { Money, ProductBody } from '../src/products/product';

const insert: Statement = {
  name: 'test.insert-product',
  text: 'insert into product (tenant, sku, name, price_amount, price_currency) values ($1, $2, $3, $4, $5)',
};

export async function insertProduct(
  database: Database,
  tenant: string,
  sku: string,
  { name, unitPrice }: ProductBody,
): Promise<void> {
  await database.query(insert, [tenant, sku, name, unitPrice.amount, unitPrice.currency]);
}

const upsert: Statement = {
  name: 'test.put-price',
  text: `
    insert into product (tenant, sku, name, price_amount, price_currency) values ($1, $2, $2, $3, $4)
    on conflict (tenant, sku) do update
    set price_amount = excluded.price_amount, price_currency = excluded.price_currency, version = product.version + 1`,
};

/** Creates the product under its SKU as a name, or changes its price. */
export async function putPrice(database: Database, tenant: string, sku: string, price: Money): Promise<void> {
  await database.query(upsert, [tenant, sku, price.amount, price.currency]);
}
