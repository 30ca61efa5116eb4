/** What belongs to the stock of one SKU: its movements, its policy and its locations. For operators. */
import { Body, Controller, Get, Headers, Param, Put, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiProperty, ApiTags } from '@nestjs/swagger';
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
import { Idempotent } from '@shop/idempotency';
import { ApiProblems } from '@shop/problem';
import { IsInt, IsOptional, Matches, Max, Min } from 'class-validator';
import type { FastifyReply } from 'fastify';
import { MovementsService } from './movements.service';
import { movementJson, MovementView } from './movement.view';
import { checkPlace, MAX_ON_HAND } from './stock-answers';
import { PolicyBody, policyJson, PolicyView } from './stock-policy';
import { stockJson, StockView } from './stock.view';
import { StockService } from './stock.service';
import type { Stock } from './stock';

class MovementsQuery extends PageQuery {
  @IsOptional()
  @Matches(/^[1-9]\d{0,15}$/, { message: 'cursor must be `next` of the page before' })
  declare cursor?: string;
}

class LocationBody {
  @ApiProperty({ description: 'pieces at this location, reserved ones included', example: 60 })
  @IsInt()
  @Min(0)
  @Max(MAX_ON_HAND)
  onHand: number;
}

@ApiTags('stock')
@ApiParam({ name: 'sku', description: 'stock keeping unit', example: 'cup' })
@Controller('stock/:sku')
@Roles('operator')
export class StockSettingsController {
  constructor(
    private readonly stock: StockService,
    private readonly movements: MovementsService,
  ) {}

  @Get('movements')
  @ApiOperation({
    operationId: 'listMovements',
    summary: 'Why there are as many pieces as there are, newest first, page by page',
    description: 'Each change of the number on hand. What is reserved or given back does not change it.',
  })
  @ApiAnswer(200, PageOf(MovementView), { description: 'a page' })
  @ApiProblems({ 404: ['stock_not_found'] })
  async listMovements(
    @CallerOf() { tenant }: Caller,
    @Param('sku') sku: string,
    @Query() { cursor, limit }: MovementsQuery,
  ): Promise<Page<MovementView>> {
    await this.stock.get(tenant, sku);
    const before = cursor === undefined ? undefined : Number(cursor);
    const read = (limit: number) => this.movements.list({ tenant, sku, before, limit });
    return readPage(limit, read, { item: movementJson, cursor: ({ id }) => String(id) });
  }

  @Get('policy')
  @ConditionalGet(policyJson)
  @ApiOperation({
    operationId: 'getStockPolicy',
    summary: 'How many pieces may be awaited, and how many one customer may have',
    description: 'Its version is that of the stock.',
  })
  @ApiAnswer(200, PolicyView, { description: 'the policy as it is now', headers: ['etag'] })
  @ApiProblems({ 404: ['stock_not_found'] })
  async getPolicy(@CallerOf() { tenant }: Caller, @Param('sku') sku: string): Promise<Stock> {
    return (await this.stock.get(tenant, sku)).stock;
  }

  @Put('policy')
  @Idempotent({ strategy: 'natural' })
  @ApiOperation({
    operationId: 'putStockPolicy',
    summary: 'Changes the policy of the stock in the version named by If-Match',
    description:
      'The same policy again changes nothing, so it may be repeated without If-Match. What is awaited or bought already ' +
      'stays, also where it is more than a new limit allows.',
  })
  @ApiConditionalWrite({ required: true })
  @ApiAnswer(200, PolicyView, { description: 'changed, or as it was already', headers: ['etag'] })
  @ApiProblems({ 404: ['stock_not_found'], 409: ['stock_is_bundle'] })
  async putPolicy(
    @CallerOf() { tenant }: Caller,
    @Param('sku') sku: string,
    @Body() { backorderLimit, customerLimit }: PolicyBody,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Headers('if-match') ifMatch?: string,
  ): Promise<PolicyView> {
    const stock = await this.stock.putPolicy({ tenant, sku, backorderLimit, customerLimit, ifMatch });
    void reply.header('etag', etagOf(stock.version));
    return policyJson(stock);
  }

  @Put('locations/:location')
  @Idempotent({ strategy: 'natural' })
  @ApiOperation({
    operationId: 'putStockLocation',
    summary: 'Creates a location of a SKU, or sets the number counted there',
    description:
      'A change names the version of the stock in If-Match; the same number again changes nothing. What a SKU has before ' +
      'its first location stands at `main`.',
  })
  @ApiParam({ name: 'location', example: 'berlin' })
  @ApiConditionalWrite({ required: true, creates: true })
  @ApiAnswer(201, StockView, { description: 'created', headers: ['etag'] })
  @ApiAnswer(200, StockView, { description: 'changed, or as it was already', headers: ['etag'] })
  @ApiProblems({ 404: ['stock_not_found'], 409: ['insufficient_stock', 'stock_is_bundle'] })
  async putLocation(
    @CallerOf() { tenant }: Caller,
    @Param('sku') sku: string,
    @Param('location') location: string,
    @Body() { onHand }: LocationBody,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Headers('if-match') ifMatch?: string,
    @Headers('if-none-match') ifNoneMatch?: string,
  ): Promise<StockView> {
    const counted = { tenant, sku, place: checkPlace(location), onHand, ifMatch, ifNoneMatch };
    const { shown, created } = await this.stock.putLocation(counted);
    void reply.status(created ? 201 : 200).header('etag', etagOf(shown.stock.version));
    return stockJson(shown);
  }
}
