/** The request that creates or changes a product, and the prices as an order needs them. */
import { CURRENCY } from '@shop/contracts';
import type { Statement, Tx } from '@shop/postgres';
import { IsText } from '@shop/validation';
import { ApiProperty } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsDefined, IsInt, Matches, Max, Min, ValidateNested } from 'class-validator';

/** Keeps every sum of an order far below the largest number that JSON holds exactly. */
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

export interface ProductKey {
  tenant: string;
  sku: string;
}

interface PriceRow extends ProductKey {
  price_amount: number;
  price_currency: string;
}

export const priceKey = (tenant: string, sku: string): string => `${tenant}\n${sku}`;

/** Prices by `priceKey`, read in the transaction of the orders that use them. */
export async function loadPrices(tx: Tx, wanted: readonly ProductKey[]): Promise<Map<string, Money>> {
  const rows = await tx.query<PriceRow>(selectPrices, [
    wanted.map(({ tenant }) => tenant),
    wanted.map(({ sku }) => sku),
  ]);
  return new Map(
    rows.map((row) => [priceKey(row.tenant, row.sku), { amount: row.price_amount, currency: row.price_currency }]),
  );
}

const selectPrices: Statement = {
  name: 'product.select-prices',
  text: `
    select p.tenant, p.sku, p.price_amount, p.price_currency
    from unnest($1::text[], $2::text[]) as w (tenant, sku)
    join product p on p.tenant = w.tenant and p.sku = w.sku`,
};
