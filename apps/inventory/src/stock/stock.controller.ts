/** Stock over HTTP, for the people and systems that keep it. */
import { Body, Controller, Get, Headers, Param, Post, Put, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiProperty, ApiResponse, ApiTags } from '@nestjs/swagger';
import { SKU } from '@shop/contracts';
import {
  type Caller,
  CallerOf,
  etagOf,
  pageOf,
  PageQuery,
  requireMatch,
  requireNone,
  Roles,
  unlessModified,
} from '@shop/http';
import { type Claim, ClaimOf, Idempotent, Ledger, type Outcome } from '@shop/idempotency';
import { Database, type Tx } from '@shop/postgres';
import { validationFailed } from '@shop/problem';
import { IsInt, IsOptional, Matches, Max, Min } from 'class-validator';
import type { FastifyReply } from 'fastify';
import { AdjustmentBody, adjustOnce } from './adjust-stock';
import type { Stock } from './stock';
import { insufficientStock, MAX_ON_HAND, stockJson, stockNotFound } from './stock-answers';
import { adjustStock, createStock, findStock, listStock, lockOneStock } from './stock.repository';

class StockBody {
  @ApiProperty({ example: 100 })
  @IsInt()
  @Min(0)
  @Max(MAX_ON_HAND)
  onHand: number;
}

class StockQuery extends PageQuery {
  @IsOptional()
  @Matches(SKU, { message: 'cursor must be `next` of the page before' })
  declare cursor?: string;
}

@ApiTags('stock')
@Controller('stock')
export class StockController {
  constructor(
    private readonly database: Database,
    private readonly ledger: Ledger,
  ) {}

  @Get()
  @ApiOperation({ summary: 'All stock, page by page' })
  async list(@CallerOf() { tenant }: Caller, @Query() { cursor = '', limit }: StockQuery) {
    const rows = await listStock(this.database, tenant, cursor, limit + 1);
    return pageOf(rows, limit, { item: stockJson, cursor: ({ sku }) => sku });
  }

  @Get(':sku')
  @ApiOperation({ summary: 'The stock of one SKU; 304 for a known ETag' })
  async get(
    @CallerOf() { tenant }: Caller,
    @Param('sku') sku: string,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Headers('if-none-match') ifNoneMatch?: string,
  ) {
    const stock = SKU.test(sku) ? await findStock(this.database, tenant, sku) : undefined;
    if (!stock) throw stockNotFound();
    const etag = etagOf(stock.version);
    void reply.header('etag', etag);
    if (!unlessModified(ifNoneMatch, etag)) return stockJson(stock);
    void reply.status(304);
    return undefined;
  }

  @Put(':sku')
  @Roles('operator')
  @Idempotent({ strategy: 'natural' })
  @ApiOperation({ summary: 'Creates stock, or sets the counted number in the version named by If-Match' })
  async put(
    @CallerOf() { tenant }: Caller,
    @Param('sku') sku: string,
    @Body() { onHand }: StockBody,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Headers('if-match') ifMatch?: string,
    @Headers('if-none-match') ifNoneMatch?: string,
  ) {
    if (!SKU.test(sku)) throw validationFailed([{ path: 'sku', message: 'must be 1 to 64 of A-Z a-z 0-9 . _ -' }]);
    const created = ifMatch === undefined ? await createStock(this.database, tenant, sku, onHand) : undefined;
    const count = { tenant, sku, onHand, ifMatch, ifNoneMatch };
    const stock = created ?? (await this.database.transaction((tx) => recount(tx, count)));
    void reply.status(created ? 201 : 200).header('etag', etagOf(stock.version));
    return stockJson(stock);
  }

  @Post(':sku/adjustments')
  @Roles('operator')
  @Idempotent({ strategy: 'atomic' })
  @ApiOperation({ summary: 'Adds or takes pieces' })
  @ApiResponse({
    status: 409,
    description:
      'insufficient_stock, idempotency_key_reused (another request), idempotency_key_in_use, or already_submitted: the ' +
      'adjustment was made so long ago that its first answer is forgotten',
  })
  adjust(
    @CallerOf() { tenant }: Caller,
    @ClaimOf() claim: Claim,
    @Param('sku') sku: string,
    @Body() { delta, reason }: AdjustmentBody,
  ): Promise<Outcome> {
    return adjustOnce({ database: this.database, ledger: this.ledger }, { tenant, sku, delta, reason, claim });
  }
}

interface Count {
  tenant: string;
  sku: string;
  onHand: number;
  ifMatch?: string;
  ifNoneMatch?: string;
}

/** The same number again changes nothing, so a repeated PUT needs no If-Match. */
async function recount(tx: Tx, { tenant, sku, onHand, ifMatch, ifNoneMatch }: Count): Promise<Stock> {
  const stock = await lockOneStock(tx, tenant, sku);
  if (stock) requireNone(ifNoneMatch, stock.version);
  if (stock && ifMatch === undefined && stock.onHand === onHand) return stock;
  requireMatch(ifMatch, stock?.version);
  if (onHand < stock.reserved) throw insufficientStock(stock);
  return adjustStock(tx, stock, { delta: onHand - stock.onHand, reason: 'counted', cause: 'PUT' });
}
