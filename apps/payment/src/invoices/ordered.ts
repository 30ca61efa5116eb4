/** Reads from the order service what is invoiced. Orders that are wanted at the same time are read with one question. */
import { CURRENCY, MAX_LINES, MAX_QUANTITY, SKU } from '@shop/contracts';
import { Lane } from '@shop/postgres';
import type { Neighbour } from '@shop/service';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  IsArray,
  IsInt,
  IsOptional,
  IsString,
  IsUUID,
  Matches,
  Max,
  MaxLength,
  Min,
  ValidateNested,
} from 'class-validator';
import type { OrderKey } from './credit-checks.repository';

class SeenMoney {
  @IsInt() @Min(0) @Max(Number.MAX_SAFE_INTEGER) amount: number;
  @Matches(CURRENCY) currency: string;
}

class SeenItem {
  @Matches(SKU) sku: string;
  @IsInt() @Min(1) @Max(MAX_QUANTITY) quantity: number;
  @ValidateNested() @Type(() => SeenMoney) unitPrice: SeenMoney;
  @IsOptional() @ValidateNested() @Type(() => SeenMoney) discount?: SeenMoney;
}

/** What is used of an order. */
export class SeenOrder {
  @IsUUID() id: string;
  @IsString() @MaxLength(50) status: string;
  @IsArray() @ArrayMaxSize(MAX_LINES) @ValidateNested({ each: true }) @Type(() => SeenItem) items: SeenItem[];
  @ValidateNested() @Type(() => SeenMoney) total: SeenMoney;
  /** Absent for orders of the time before it was kept, which only operators see. */
  @IsOptional() @IsString() @MaxLength(255) placedBy?: string | null;
}

/** With as many lines as an order may have, so many orders are an answer of half a mebibyte, which is half of what is read. */
const ORDERS_AT_ONCE = 50;

class SeenOrders {
  @IsArray() @ArrayMaxSize(ORDERS_AT_ONCE) @ValidateNested({ each: true }) @Type(() => SeenOrder) items: SeenOrder[];
}

export class Ordered {
  private readonly reading: Lane<OrderKey, Read>;

  constructor(private readonly orders: Pick<Neighbour, 'read'>) {
    this.reading = new Lane({
      name: 'ask-for-orders',
      turnOf: ({ tenant }) => tenant,
      maxBatch: ORDERS_AT_ONCE,
      run: (keys) => this.readAll(keys),
    });
  }

  /** Undefined when there is no such order. @throws RetryableError when the order service does not tell */
  async read(key: OrderKey): Promise<SeenOrder | undefined> {
    const read = await this.reading.submit(key);
    if ('failure' in read) throw read.failure;
    return read.order;
  }

  private async readAll(keys: readonly OrderKey[]): Promise<Read[]> {
    const tenants = [...new Set(keys.map(({ tenant }) => tenant))];
    const answers = new Map(
      await Promise.all(tenants.map(async (tenant) => [tenant, await this.ask(tenant, keys)] as const)),
    );
    return keys.map(({ tenant, orderId }) => {
      const answer = answers.get(tenant)!;
      return answer instanceof Map ? { order: answer.get(orderId) } : { failure: answer };
    });
  }

  /** The orders of one tenant. A failure is its own, and not that of the others. */
  private async ask(tenant: string, keys: readonly OrderKey[]): Promise<Map<string, SeenOrder> | Error> {
    const ids = new Set(keys.filter((key) => key.tenant === tenant).map(({ orderId }) => orderId));
    const question = {
      tenant,
      path: `/orders?ids=${[...ids].join()}&limit=${ids.size}`,
      type: SeenOrders,
      fits: ({ items }: SeenOrders) => items.every((order) => ids.has(order.id) && addsUp(order)),
    };
    try {
      const found = await this.orders.read(question);
      return new Map(found?.items.map((order) => [order.id, order]));
    } catch (error) {
      return error as Error;
    }
  }
}

type Read = { order?: SeenOrder } | { failure: Error };

/** What a line costs, with its discount. */
export const grossOf = ({ quantity, unitPrice, discount }: SeenItem): number =>
  quantity * unitPrice.amount - (discount?.amount ?? 0);

/** The customer has paid the total. An invoice over anything else would be wrong. */
function addsUp({ items, total }: SeenOrder): boolean {
  const isInOneCurrency = items.every(({ unitPrice }) => unitPrice.currency === total.currency);
  const lines = items.map(grossOf);
  return (
    isInOneCurrency &&
    lines.every((gross) => gross >= 0) &&
    lines.reduce((sum, gross) => sum + gross, 0) === total.amount
  );
}
