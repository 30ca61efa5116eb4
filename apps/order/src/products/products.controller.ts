/** The catalogue over HTTP. */
import { Body, Controller, Get, Headers, Param, Put, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
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
import { Idempotent } from '@shop/idempotency';
import { Database } from '@shop/postgres';
import { Problem, validationFailed } from '@shop/problem';
import { IsOptional, Matches } from 'class-validator';
import type { FastifyReply } from 'fastify';
import { findProduct, insertProduct, listProducts, type Product, ProductBody, updateProduct } from './product';

class ProductsQuery extends PageQuery {
  @IsOptional()
  @Matches(SKU, { message: 'cursor must be `next` of the page before' })
  declare cursor?: string;
}

@ApiTags('products')
@Controller('products')
export class ProductsController {
  constructor(private readonly database: Database) {}

  @Get()
  @ApiOperation({ summary: 'The catalogue, page by page' })
  async list(@CallerOf() { tenant }: Caller, @Query() { cursor = '', limit }: ProductsQuery) {
    const rows = await listProducts(this.database, tenant, cursor, limit + 1);
    return pageOf(rows, limit, { item: (product) => product, cursor: ({ sku }) => sku });
  }

  @Get(':sku')
  @ApiOperation({ summary: 'One product; 304 for a known ETag' })
  async get(
    @CallerOf() { tenant }: Caller,
    @Param('sku') sku: string,
    @Headers('if-none-match') ifNoneMatch: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const product = SKU.test(sku) ? await findProduct(this.database, tenant, sku) : undefined;
    if (!product) throw new Problem(404, 'product_not_found', 'there is no product with this SKU');
    const etag = etagOf(product.version);
    void reply.header('etag', etag);
    if (!unlessModified(ifNoneMatch, etag)) return product;
    void reply.status(304);
    return undefined;
  }

  @Put(':sku')
  @Roles('operator')
  @Idempotent({ strategy: 'natural' })
  @ApiOperation({ summary: 'Creates a product, or changes the version named by If-Match' })
  async put(
    @CallerOf() { tenant }: Caller,
    @Param('sku') sku: string,
    @Body() body: ProductBody,
    @Headers('if-match') ifMatch: string | undefined,
    @Headers('if-none-match') ifNoneMatch: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Product> {
    if (!SKU.test(sku)) throw validationFailed([{ path: 'sku', message: 'must be 1 to 64 of A-Z a-z 0-9 . _ -' }]);
    const created = ifMatch === undefined ? await insertProduct(this.database, tenant, sku, body) : undefined;
    const product = created ?? (await this.change(tenant, sku, body, ifMatch, ifNoneMatch));
    void reply.status(created ? 201 : 200).header('etag', etagOf(product.version));
    return product;
  }

  /** The same content again changes nothing, so a repeated PUT needs no If-Match. */
  private async change(
    tenant: string,
    sku: string,
    body: ProductBody,
    ifMatch?: string,
    ifNoneMatch?: string,
  ): Promise<Product> {
    const current = await findProduct(this.database, tenant, sku);
    if (current) requireNone(ifNoneMatch, current.version);
    if (current && ifMatch === undefined && sameContent(current, body)) return current;
    requireMatch(ifMatch, current?.version);
    const changed = await updateProduct(this.database, tenant, current, body);
    // Somebody was faster between our read and our write: look at what is there now.
    return changed ?? this.change(tenant, sku, body, ifMatch, ifNoneMatch);
  }
}

function sameContent(product: Product, { name, unitPrice }: ProductBody): boolean {
  return (
    product.name === name &&
    product.unitPrice.amount === unitPrice.amount &&
    product.unitPrice.currency === unitPrice.currency
  );
}
