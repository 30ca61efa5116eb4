/** Stock over HTTP, for the people and systems that manage it. */
import { Body, Controller, Get, Headers, Param, Post, Put, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiProperty, ApiTags } from '@nestjs/swagger';
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
import { validationFailed } from '@shop/validation';
import { IsInt, IsOptional, Matches, Max, Min } from 'class-validator';
import type { FastifyReply } from 'fastify';
import { AdjustmentBody } from './adjust-stock';
import { MAX_ON_HAND } from './stock-answers';
import { stockJson, StockView } from './stock.view';
import { StockService } from './stock.service';
import type { Stock } from './warehouse';

class StockBody {
  @ApiProperty({ description: 'pieces, reserved ones included', example: 100 })
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

const ApiSku = () => ApiParam({ name: 'sku', description: 'stock keeping unit', example: 'cup' });

@ApiTags('stock')
@Controller('stock')
@Roles('customer', 'operator')
export class StockController {
  constructor(private readonly stock: StockService) {}

  @Get()
  @ApiOperation({
    operationId: 'listStock',
    summary: 'All stock, page by page',
    description: 'The stock of your tenant, in order of SKU.',
  })
  @ApiAnswer(200, PageOf(StockView), { description: 'a page' })
  list(@CallerOf() { tenant }: Caller, @Query() { cursor: after = '', limit }: StockQuery): Promise<Page<StockView>> {
    const read = (limit: number) => this.stock.list({ tenant, after, limit });
    return readPage(limit, read, { item: stockJson, cursor: ({ sku }) => sku });
  }

  @Get(':sku')
  @ConditionalGet(stockJson)
  @ApiOperation({
    operationId: 'getStock',
    summary: 'The stock of one SKU',
    description: 'How many pieces there are, and how many of them orders hold.',
  })
  @ApiSku()
  @ApiAnswer(200, StockView, { description: 'the stock as it is now', headers: ['etag'] })
  @ApiProblems({ 404: ['stock_not_found'] })
  get(@CallerOf() { tenant }: Caller, @Param('sku') sku: string): Promise<Stock> {
    return this.stock.get(tenant, sku);
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
  @ApiProblems({ 409: ['insufficient_stock'] })
  async put(
    @CallerOf() { tenant }: Caller,
    @Param('sku') sku: string,
    @Body() { onHand }: StockBody,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Headers('if-match') ifMatch?: string,
    @Headers('if-none-match') ifNoneMatch?: string,
  ): Promise<StockView> {
    if (!SKU.test(sku)) throw validationFailed([{ path: 'sku', message: 'must be 1 to 64 of A-Z a-z 0-9 . _ -' }]);
    const { stock, created } = await this.stock.put({ tenant, sku, onHand, ifMatch, ifNoneMatch });
    void reply.status(created ? 201 : 200).header('etag', etagOf(stock.version));
    return stockJson(stock);
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
  @ApiProblems({ 404: ['stock_not_found'], 409: ['insufficient_stock'] })
  adjust(
    @CallerOf() { tenant }: Caller,
    @ClaimOf() claim: Claim,
    @Param('sku') sku: string,
    @Body() { delta, reason }: AdjustmentBody,
  ): Promise<Outcome> {
    return this.stock.adjust({ tenant, sku, delta, reason, claim });
  }
}
