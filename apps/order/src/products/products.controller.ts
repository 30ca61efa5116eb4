/** The catalogue over HTTP. */
import { Body, Controller, Get, Header, Headers, Param, Put, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiPropertyOptional, ApiTags } from '@nestjs/swagger';
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
import { Idempotent } from '@shop/idempotency';
import { ApiProblems } from '@shop/problem';
import { IsText, validationFailed } from '@shop/validation';
import { IsOptional, Matches } from 'class-validator';
import type { FastifyReply } from 'fastify';
import { ProductBody } from './product';
import type { Product } from './product.entity';
import { productJson, ProductView } from './product.view';
import { ProductsService } from './products.service';

/** As long as the name of a product may be. */
const MAX_SEARCH_LENGTH = 200;

class ProductsQuery extends PageQuery {
  @ApiPropertyOptional({ description: 'only products with this text in their name or SKU', example: 'cup' })
  @IsOptional()
  @IsText(MAX_SEARCH_LENGTH)
  q?: string;

  @IsOptional()
  @Matches(SKU, { message: 'cursor must be `next` of the page before' })
  declare cursor?: string;
}

const ApiSku = () => ApiParam({ name: 'sku', description: 'stock keeping unit', example: 'cup' });

@ApiTags('products')
@Controller('products')
@Roles('customer', 'operator')
export class ProductsController {
  constructor(private readonly products: ProductsService) {}

  @Get()
  @ApiOperation({
    operationId: 'listProducts',
    summary: 'The catalogue, page by page',
    description:
      'The products of your tenant, in order of SKU. With q, only those that have the text in their name or SKU; capital ' +
      'and small letters are the same, and every character stands for itself. The next page needs the same q.',
  })
  @ApiAnswer(200, PageOf(ProductView), { description: 'a page' })
  list(
    @CallerOf() { tenant }: Caller,
    @Query() { cursor: after = '', q: text, limit }: ProductsQuery,
  ): Promise<Page<ProductView>> {
    const read = (limit: number) => this.products.list({ tenant, after, text, limit });
    return readPage(limit, read, { item: productJson, cursor: ({ sku }) => sku });
  }

  @Get(':sku')
  @ConditionalGet(productJson)
  // The client may keep it, and asks each time whether it is still right, which costs it no body.
  @Header('cache-control', 'private, no-cache')
  @ApiOperation({
    operationId: 'getProduct',
    summary: 'One product',
    description:
      'Orders are priced with what it tells at their moment. You may keep it: with If-None-Match, 304 says that it is ' +
      'still right.',
  })
  @ApiSku()
  @ApiAnswer(200, ProductView, { description: 'the product as it is now', headers: ['etag'] })
  @ApiProblems({ 404: ['product_not_found'] })
  get(@CallerOf() { tenant }: Caller, @Param('sku') sku: string): Promise<Product> {
    return this.products.get({ tenant, sku });
  }

  @Put(':sku')
  @Roles('operator')
  @Idempotent({ strategy: 'natural' })
  @ApiOperation({
    operationId: 'putProduct',
    summary: 'Creates a product, or changes the version named by If-Match',
    description: 'The same content again changes nothing, so it may be repeated without If-Match.',
  })
  @ApiSku()
  @ApiConditionalWrite({ required: true, creates: true })
  @ApiAnswer(201, ProductView, { description: 'created', headers: ['etag'] })
  @ApiAnswer(200, ProductView, { description: 'changed, or as it was already', headers: ['etag'] })
  async put(
    @CallerOf() { tenant }: Caller,
    @Param('sku') sku: string,
    @Body() body: ProductBody,
    @Headers('if-match') ifMatch: string | undefined,
    @Headers('if-none-match') ifNoneMatch: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ProductView> {
    if (!SKU.test(sku)) throw validationFailed([{ path: 'sku', message: 'must be 1 to 64 of A-Z a-z 0-9 . _ -' }]);
    const { product, created } = await this.products.put({ tenant, sku }, body, { ifMatch, ifNoneMatch });
    void reply.status(created ? 201 : 200).header('etag', etagOf(product.version));
    return productJson(product);
  }
}
