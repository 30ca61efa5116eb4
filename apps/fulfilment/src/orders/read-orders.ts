/** Reads what the events do not tell from the order service: whose order it is, and what is in it. */
import { CURRENCY, MAX_LINES, SKU } from '@shop/contracts';
import { ERASED } from '@shop/messaging';
import type { Neighbour } from '@shop/service';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  IsArray,
  IsInt,
  IsISO8601,
  IsOptional,
  IsString,
  IsUUID,
  Matches,
  MaxLength,
  Min,
  MinLength,
  ValidateNested,
} from 'class-validator';
import type { OrderContent } from './effects';

/** The order service takes no more ids at once. */
export const MAX_IDS = 100;

class ReadItem {
  @Matches(SKU) sku: string;
  @IsInt() @Min(1) quantity: number;
}

class ReadTotal {
  @IsInt() @Min(0) amount: number;
  @Matches(CURRENCY) currency: string;
}

/** What is used of an order. */
export class ReadOrder {
  @IsUUID() id: string;
  @IsString() @MinLength(1) @MaxLength(100) customerId: string;
  @IsOptional() @IsString() @MaxLength(200) placedBy?: string;
  @IsString() @MaxLength(40) status: string;
  @IsArray() @ArrayMaxSize(MAX_LINES) @ValidateNested({ each: true }) @Type(() => ReadItem) items: ReadItem[];
  @ValidateNested() @Type(() => ReadTotal) total: ReadTotal;
  @IsOptional() @IsISO8601({ strict: true }) confirmedAt?: string;
}

export class ReadOrders {
  @IsArray() @ArrayMaxSize(MAX_IDS) @ValidateNested({ each: true }) @Type(() => ReadOrder) items: ReadOrder[];
  @IsOptional() @IsString() next?: string | null;
}

/**
 * By id; those that the order service does not know are missing.
 * @param ids at most 100
 * @throws RetryableError when it is away
 */
export async function readOrders(
  order: Pick<Neighbour, 'read'>,
  tenant: string,
  ids: readonly string[],
): Promise<Map<string, OrderContent>> {
  const wanted = new Set(ids);
  const answer = await order.read({
    tenant,
    path: `/orders?ids=${ids.join()}&limit=${MAX_IDS}`,
    type: ReadOrders,
    fits: ({ items }) => items.every(({ id }) => wanted.has(id)),
  });
  return new Map((answer?.items ?? []).map((one) => [one.id, contentOf(one)]));
}

export function contentOf({ customerId, placedBy, items }: ReadOrder): OrderContent {
  const lines = items.map(({ sku, quantity }) => ({ sku, quantity }));
  return { lines, customerId: customerId === ERASED ? undefined : customerId, placedBy };
}
