/** The catalogue's table and its JSON. */
import { CURRENCY } from '@shop/contracts';
import { countedOrFail, type Database, isBadNumber, rowsOf, type Statement, type Tx } from '@shop/postgres';
import { IsText } from '@shop/problem';
import { ApiProperty } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsDefined, IsInt, Matches, Max, Min, ValidateNested } from 'class-validator';

/** Keeps every sum of an order far inside what a JSON number holds exactly. */
const MAX_PRICE = 1_000_000_000;

export class Money {
  @ApiProperty({ description: 'minor units, such as cents', example: 1999 })
  @IsInt()
  @Min(0)
  @Max(MAX_PRICE)
  amount: number;

  @ApiProperty({ description: 'ISO 4217', example: 'EUR' })
  @Matches(CURRENCY)
  currency: string;
}

export class ProductBody {
  @ApiProperty({ example: 'Espresso cup' })
  @IsText(200)
  name: string;

  @ApiProperty({ type: Money })
  @IsDefined()
  @ValidateNested()
  @Type(() => Money)
  unitPrice: Money;
}

export interface Product extends ProductBody {
  sku: string;
  version: number;
}

export interface ProductKey {
  tenant: string;
  sku: string;
}

interface Row {
  tenant: string;
  sku: string;
  name: string;
  price_amount: number;
  price_currency: string;
  version: number;
}

export async function findProduct(database: Database, tenant: string, sku: string): Promise<Product | undefined> {
  const [row] = await database.query<Row>(selectOne, [tenant, sku]);
  return row && productOf(row);
}

/** Up to `limit` products behind the SKU `after`, in order of SKU. */
export async function listProducts(
  database: Database,
  tenant: string,
  after: string,
  limit: number,
): Promise<Product[]> {
  return (await database.query<Row>(selectPage, [tenant, after, limit])).map(productOf);
}

/** Answers nothing when there is one already. */
export async function insertProduct(
  database: Database,
  tenant: string,
  sku: string,
  body: ProductBody,
): Promise<Product | undefined> {
  const { name, unitPrice } = body;
  const [row] = await database.query<Row>(insertOne, [tenant, sku, name, unitPrice.amount, unitPrice.currency]);
  return row && productOf(row);
}

/** Answers nothing when the version is no longer this one. */
export async function updateProduct(
  database: Database,
  tenant: string,
  product: Product,
  body: ProductBody,
): Promise<Product | undefined> {
  const { name, unitPrice } = body;
  const [row] = await database.query<Row>(updateOne, [
    tenant,
    product.sku,
    name,
    unitPrice.amount,
    unitPrice.currency,
    product.version,
  ]);
  return row && productOf(row);
}

export const priceKey = (tenant: string, sku: string): string => `${tenant}\n${sku}`;

/** Prices by `priceKey`, read in the transaction that orders at them. */
export async function loadPrices(tx: Tx, wanted: readonly ProductKey[]): Promise<Map<string, Money>> {
  const rows = await tx.query<Row>(selectPrices, [wanted.map(({ tenant }) => tenant), wanted.map(({ sku }) => sku)]);
  return new Map(
    rows.map((row) => [priceKey(row.tenant, row.sku), { amount: row.price_amount, currency: row.price_currency }]),
  );
}

/** Fails the transaction, with what `isPriceChanged` knows, unless each of these has exactly this price now. */
export function provePrices(tx: Tx, presumed: readonly ProductKey[], prices: ReadonlyMap<string, Money>): void {
  const rows = presumed.map(({ tenant, sku }) => ({ tenant, sku, ...prices.get(priceKey(tenant, sku)) }));
  tx.send(countPrices, [rowsOf(rows), rows.length]);
}

export const isPriceChanged = (error: unknown): boolean => isBadNumber(error, PRICE_CHANGED);

/** Begins the word that the proof makes a number of when it finds another price. */
const PRICE_CHANGED = 'price changed';

const productOf = ({ sku, name, price_amount, price_currency, version }: Row): Product => ({
  sku,
  name,
  unitPrice: { amount: price_amount, currency: price_currency },
  version,
});

const columns = 'tenant, sku, name, price_amount, price_currency, version';

const selectOne: Statement = {
  name: 'product.select-one',
  text: `select ${columns} from product where tenant = $1 and sku = $2`,
};

const selectPage: Statement = {
  name: 'product.select-page',
  text: `select ${columns} from product where tenant = $1 and sku > $2 order by sku limit $3`,
};

const selectPrices: Statement = {
  name: 'product.select-prices',
  text: `
    select p.tenant, p.sku, p.price_amount, p.price_currency
    from unnest($1::text[], $2::text[]) as w (tenant, sku)
    join product p on p.tenant = w.tenant and p.sku = w.sku`,
};

/** By primary key, row by row, and without a lock: like the reading of prices, it says what is committed now. */
const countPrices: Statement = {
  name: 'product.count-prices',
  text: countedOrFail(
    PRICE_CHANGED,
    `select 1
     from jsonb_to_recordset($1::jsonb) as w (tenant text, sku text, amount bigint, currency text)
     join product p on p.tenant = w.tenant and p.sku = w.sku
     where p.price_amount = w.amount and p.price_currency = w.currency`,
    '$2',
  ),
};

const insertOne: Statement = {
  name: 'product.insert',
  text: `
    insert into product (tenant, sku, name, price_amount, price_currency) values ($1, $2, $3, $4, $5)
    on conflict do nothing returning ${columns}`,
};

const updateOne: Statement = {
  name: 'product.update',
  text: `
    update product set name = $3, price_amount = $4, price_currency = $5, version = version + 1, updated_at = now()
    where tenant = $1 and sku = $2 and version = $6 returning ${columns}`,
};
