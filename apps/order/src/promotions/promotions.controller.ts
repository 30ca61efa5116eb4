/** Promotions over HTTP. Operators write them; a customer may look at one whose code it knows. */
import { Body, Controller, Delete, Get, Headers, HttpCode, Param, Put, Query, Res } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import {
  ApiAnswer,
  ApiConditionalWrite,
  type Caller,
  CallerOf,
  etagOf,
  type Page,
  PageOf,
  PageQuery,
  readPage,
  requireMatch,
  Roles,
} from '@shop/http';
import { Idempotent } from '@shop/idempotency';
import { ApiProblems, Problem } from '@shop/problem';
import { validationFailed } from '@shop/validation';
import { IsOptional, Matches } from 'class-validator';
import type { FastifyReply } from 'fastify';
import { CODE, codeOf } from './promotion';
import { PromotionBody, promotionExamples, termsOf } from './promotion.body';
import { promotionJson, PromotionView } from './promotion.view';
import { PromotionsService } from './promotions.service';

class PromotionsQuery extends PageQuery {
  @IsOptional()
  @Matches(CODE, { message: 'cursor must be `next` of the page before' })
  declare cursor?: string;
}

const ApiCode = () =>
  ApiParam({ name: 'code', description: '1 to 40 of A-Z 0-9 -; small letters mean the same', example: 'SPRING-10' });

@ApiTags('promotions')
@Controller('promotions')
@Roles('operator')
export class PromotionsController {
  constructor(private readonly promotions: PromotionsService) {}

  @Get()
  @ApiOperation({
    operationId: 'listPromotions',
    summary: 'The promotions, page by page',
    description: 'Those of your tenant, in order of code, also those that are over or have not begun.',
  })
  @ApiAnswer(200, PageOf(PromotionView), { description: 'a page' })
  list(
    @CallerOf() { tenant }: Caller,
    @Query() { cursor: after = '', limit }: PromotionsQuery,
  ): Promise<Page<PromotionView>> {
    const read = (limit: number) => this.promotions.list({ tenant, after, limit });
    return readPage(limit, read, { item: promotionJson, cursor: ({ code }) => code });
  }

  @Get(':code')
  @Roles('customer', 'operator')
  @ApiOperation({
    operationId: 'getPromotion',
    summary: 'One promotion',
    description:
      'A customer finds it only while it runs. The ETag is for If-Match: it stands for the terms, and not for the uses, ' +
      'so the whole promotion is answered each time.',
  })
  @ApiCode()
  @ApiAnswer(200, PromotionView, { description: 'the promotion as it is now', headers: ['etag'] })
  @ApiProblems({ 404: ['promotion_not_found'] })
  async get(
    @CallerOf() { tenant, roles }: Caller,
    @Param('code') text: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<PromotionView> {
    const code = codeOf(text);
    if (code === undefined) throw new Problem(404, 'promotion_not_found', 'a code is 1 to 40 of A-Z 0-9 -');
    const promotion = await this.promotions.get({ tenant, code }, { running: !roles.includes('operator') });
    void reply.header('etag', etagOf(promotion.version));
    return promotionJson(promotion);
  }

  @Put(':code')
  @Idempotent({ strategy: 'natural' })
  @ApiOperation({
    operationId: 'putPromotion',
    summary: 'Creates a promotion, or changes the version named by If-Match',
    description:
      'The same terms again change nothing, so it may be repeated without If-Match. A change does not touch orders that ' +
      'have it. A code that was deleted comes back with the uses that it had.',
  })
  @ApiCode()
  @ApiBody({ type: PromotionBody, examples: promotionExamples })
  @ApiConditionalWrite({ required: true, creates: true })
  @ApiAnswer(201, PromotionView, { description: 'created', headers: ['etag'] })
  @ApiAnswer(200, PromotionView, { description: 'changed, or as it was already', headers: ['etag'] })
  async put(
    @CallerOf() { tenant }: Caller,
    @Param('code') text: string,
    @Body() body: PromotionBody,
    @Headers('if-match') ifMatch: string | undefined,
    @Headers('if-none-match') ifNoneMatch: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<PromotionView> {
    const code = codeOf(text);
    if (code === undefined) throw validationFailed([{ path: 'code', message: 'must be 1 to 40 of A-Z 0-9 -' }]);
    const { promotion, created } = await this.promotions.put({ tenant, code }, termsOf(body), { ifMatch, ifNoneMatch });
    void reply.status(created ? 201 : 200).header('etag', etagOf(promotion.version));
    return promotionJson(promotion);
  }

  @Delete(':code')
  @HttpCode(204)
  @Idempotent({ strategy: 'natural' })
  @ApiOperation({
    operationId: 'deletePromotion',
    summary: 'Deletes a promotion',
    description: 'No order gets it any more; those that have it keep it. It may be repeated.',
  })
  @ApiCode()
  @ApiConditionalWrite({})
  @ApiAnswer(204, null, { description: 'there is no such promotion any more' })
  async delete(
    @CallerOf() { tenant }: Caller,
    @Param('code') text: string,
    @Headers('if-match') ifMatch?: string,
  ): Promise<void> {
    const code = codeOf(text);
    if (code === undefined) return;
    await this.promotions.delete({ tenant, code }, (version) => {
      if (ifMatch !== undefined) requireMatch(ifMatch, version);
    });
  }
}
