/** Stock over HTTP, for the people and systems that manage it. */
import { Body, Controller, Get, Headers, Param, Post, Put, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiProperty, ApiPropertyOptional, ApiTags } from '@nestjs/swagger';
import { SKU } from '@shop/contracts';
import {
  ApiAnswer,
  ApiConditionalWrite,
  type Caller,
  CallerOf,
  ConditionalGet,
  etagOf,
  type Page,
  PageOf,
  PageQuery,
  readPage,
  Roles,
} from '@shop/http';
import { ApiAlreadySubmitted, type Claim, ClaimOf, Idempotent, type Outcome } from '@shop/idempotency';
import { ApiProblems } from '@shop/problem';
import { Transform } from 'class-transformer';
import { IsInt, IsOptional, Matches, Max, Min } from 'class-validator';
import type { FastifyReply } from 'fastify';
import { AdjustmentBody } from './adjust-stock';
import { checkSku, MAX_ON_HAND } from './stock-answers';
import { type ShownStock, stockJson, StockView, versionOf } from './stock.view';
import { StockService } from './stock.service';

class StockBody {
  @ApiProperty({ description: 'pieces, reserved ones included', example: 100 })
  @IsInt()
  @Min(0)
  @Max(MAX_ON_HAND)
  onHand: number;
}

/** A cart is shown with one request, and has no more lines than an order. */
const SKUS = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}(,[A-Za-z0-9][A-Za-z0-9._-]{0,63}){0,99}$/;

class StockQuery extends PageQuery {
  @IsOptional()
  @Matches(SKU, { message: 'cursor must be `next` of the page before' })
  declare cursor?: string;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    maximum: MAX_ON_HAND,
    description: 'only SKUs with fewer free pieces than this; bundles are left out',
    example: 5,
  })
  @IsOptional()
  @Transform(({ value }) => (typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : (value as unknown)))
  @IsInt()
  @Min(1)
  @Max(MAX_ON_HAND)
  below?: number;

  @ApiPropertyOptional({
    description: 'only these SKUs, at most 100, on one page; those that are not there are left out',
    example: 'cup,mug',
  })
  @IsOptional()
  @Matches(SKUS, { message: 'skus must be 1 to 100 SKUs with commas between them' })
  skus?: string;
}

const ApiSku = () => ApiParam({ name: 'sku', description: 'stock keeping unit', example: 'cup' });

interface VersionedStock {
  shown: ShownStock;
  version: number | string;
}

@ApiTags('stock')
@Controller('stock')
@Roles('customer', 'operator')
export class StockController {
  constructor(private readonly stock: StockService) {}

  @Get()
  @ApiOperation({
    operationId: 'listStock',
    summary: 'All stock, page by page',
    description: 'The stock of your tenant, in order of SKU. With `skus` it is one page, whatever the limit.',
  })
  @ApiAnswer(200, PageOf(StockView), { description: 'a page' })
  async list(
    @CallerOf() { tenant }: Caller,
    @Query() { cursor: after = '', limit, below, skus }: StockQuery,
  ): Promise<Page<StockView>> {
    if (skus !== undefined) {
      const some = await this.stock.some(tenant, skus.split(','), below);
      return { items: some.map(stockJson), next: null };
    }
    const read = (limit: number) => this.stock.list({ tenant, after, limit, below });
    return readPage(limit, read, { item: stockJson, cursor: ({ stock: { sku } }) => sku });
  }

  @Get(':sku')
  @ConditionalGet(({ shown }: VersionedStock) => stockJson(shown))
  @ApiOperation({
    operationId: 'getStock',
    summary: 'The stock of one SKU',
    description: 'How many pieces there are, how many of them are held, and how many can be ordered.',
  })
  @ApiSku()
  @ApiAnswer(200, StockView, { description: 'the stock as it is now', headers: ['etag'] })
  @ApiProblems({ 404: ['stock_not_found'] })
  async get(@CallerOf() { tenant }: Caller, @Param('sku') sku: string): Promise<VersionedStock> {
    const shown = await this.stock.get(tenant, sku);
    return { shown, version: versionOf(shown) };
  }

  @Put(':sku')
  @Roles('operator')
  @Idempotent({ strategy: 'natural' })
  @ApiOperation({
    operationId: 'putStock',
    summary: 'Creates stock, or sets the counted number in the version named by If-Match',
    description: 'The same number again changes nothing, so it may be repeated without If-Match.',
  })
  @ApiSku()
  @ApiConditionalWrite({ required: true, creates: true })
  @ApiAnswer(201, StockView, { description: 'created', headers: ['etag'] })
  @ApiAnswer(200, StockView, { description: 'changed, or as it was already', headers: ['etag'] })
  @ApiProblems({ 409: ['insufficient_stock', 'location_required', 'stock_is_bundle'] })
  async put(
    @CallerOf() { tenant }: Caller,
    @Param('sku') sku: string,
    @Body() { onHand }: StockBody,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Headers('if-match') ifMatch?: string,
    @Headers('if-none-match') ifNoneMatch?: string,
  ): Promise<StockView> {
    const { shown, created } = await this.stock.put({ tenant, sku: checkSku(sku), onHand, ifMatch, ifNoneMatch });
    void reply.status(created ? 201 : 200).header('etag', etagOf(shown.stock.version));
    return stockJson(shown);
  }

  @Post(':sku/adjustments')
  @Roles('operator')
  @Idempotent({ strategy: 'atomic' })
  @ApiOperation({
    operationId: 'adjustStock',
    summary: 'Adds or takes pieces',
    description: 'What changes the number by a difference needs no If-Match.',
  })
  @ApiSku()
  @ApiAnswer(201, StockView, { description: 'adjusted', headers: ['etag', 'idempotent-replayed'] })
  @ApiAlreadySubmitted('/stock/cup')
  @ApiProblems({
    404: ['stock_not_found'],
    409: ['insufficient_stock', 'location_required', 'location_not_found', 'stock_is_bundle'],
  })
  adjust(
    @CallerOf() { tenant }: Caller,
    @ClaimOf() claim: Claim,
    @Param('sku') sku: string,
    @Body() { delta, reason, location }: AdjustmentBody,
  ): Promise<Outcome> {
    return this.stock.adjust({ tenant, sku, delta, reason, place: location, claim });
  }
}
