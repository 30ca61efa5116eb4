/** Bundles over HTTP, for the people who manage stock. */
import { Body, Controller, Delete, Get, Headers, HttpCode, Param, Put, Res } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import {
  ApiAnswer,
  ApiConditionalWrite,
  type Caller,
  CallerOf,
  ConditionalGet,
  etagOf,
  requireMatch,
  Roles,
} from '@shop/http';
import { Idempotent } from '@shop/idempotency';
import { ApiProblems } from '@shop/problem';
import type { FastifyReply } from 'fastify';
import { checkSku } from '../stock/stock-answers';
import { BundleBody, BundleView } from './bundle';
import { BundlesService } from './bundles.service';

const skus = { type: 'array', items: { type: 'string' }, example: ['cup'] } as const;

@ApiTags('bundles')
@ApiParam({ name: 'sku', description: 'stock keeping unit of the bundle', example: 'tea-set' })
@Controller('bundles/:sku')
@Roles('customer', 'operator')
export class BundlesController {
  constructor(private readonly bundles: BundlesService) {}

  @Put()
  @Roles('operator')
  @Idempotent({ strategy: 'natural' })
  @ApiOperation({
    operationId: 'putBundle',
    summary: 'Creates a bundle, or changes the version named by If-Match',
    description:
      'The same components again change nothing, so it may be repeated without If-Match. What is reserved keeps the pieces ' +
      'that it has.',
  })
  @ApiConditionalWrite({ required: true, creates: true })
  @ApiAnswer(201, BundleView, { description: 'created', headers: ['etag'] })
  @ApiAnswer(200, BundleView, { description: 'changed, or as it was already', headers: ['etag'] })
  @ApiProblems({ 409: ['stock_exists'], 422: { nested_bundle: { skus }, unknown_sku: { skus } } })
  async put(
    @CallerOf() { tenant }: Caller,
    @Param('sku') sku: string,
    @Body() { components }: BundleBody,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Headers('if-match') ifMatch?: string,
    @Headers('if-none-match') ifNoneMatch?: string,
  ): Promise<BundleView> {
    const wanted = { tenant, sku: checkSku(sku), components, ifMatch, ifNoneMatch };
    const { bundle, created } = await this.bundles.put(wanted);
    void reply.status(created ? 201 : 200).header('etag', etagOf(bundle.version));
    return bundle;
  }

  @Get()
  @ConditionalGet((bundle: BundleView) => bundle)
  @ApiOperation({
    operationId: 'getBundle',
    summary: 'The components of a bundle',
    description: 'How many bundles they make, GET /stock/{sku} tells.',
  })
  @ApiAnswer(200, BundleView, { description: 'the bundle as it is now', headers: ['etag'] })
  @ApiProblems({ 404: ['bundle_not_found'] })
  get(@CallerOf() { tenant }: Caller, @Param('sku') sku: string): Promise<BundleView> {
    return this.bundles.get(tenant, sku);
  }

  @Delete()
  @Roles('operator')
  @HttpCode(204)
  @Idempotent({ strategy: 'natural' })
  @ApiOperation({
    operationId: 'deleteBundle',
    summary: 'Makes an ordinary SKU without pieces of a bundle',
    description: 'It may be repeated. What is reserved keeps the pieces that it has.',
  })
  @ApiConditionalWrite({})
  @ApiAnswer(204, null, { description: 'it is no bundle' })
  async delete(
    @CallerOf() { tenant }: Caller,
    @Param('sku') sku: string,
    @Headers('if-match') ifMatch?: string,
  ): Promise<void> {
    await this.bundles.delete({ tenant, sku }, ({ version }) => {
      if (ifMatch !== undefined) requireMatch(ifMatch, version);
    });
  }
}
