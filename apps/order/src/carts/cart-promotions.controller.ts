/** The promotions of a cart over HTTP. */
import { Controller, Delete, Headers, HttpCode, Param, Put, Res } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import {
  ApiAnswer,
  ApiConditionalWrite,
  type Caller,
  CallerOf,
  type EndTurn,
  EndTurnOf,
  etagOf,
  Roles,
} from '@shop/http';
import { ApiAlreadySubmitted, Idempotent } from '@shop/idempotency';
import { ApiProblems, Problem, type ProblemMembers } from '@shop/problem';
import type { FastifyReply } from 'fastify';
import { codeOf } from '../promotions/promotion';
import { ApiCartId, cartNotFound, cartOfCaller } from './cart';
import { CartPromotionsService } from './cart-promotions.service';
import { CartView } from './cart.view';
import { ShownCarts } from './shown-carts';

const ApiCode = () => ApiParam({ name: 'code', description: 'small letters mean the same', example: 'SPRING-10' });

const reason: ProblemMembers = { reason: { type: 'string', description: 'why, in words', example: 'it is over' } };
const anOrder = '/orders/01a20621-a6cd-74b9-a1c3-459d717a98c4';

@ApiTags('carts')
@Controller('carts/:id/promotions')
@Roles('customer', 'operator')
export class CartPromotionsController {
  constructor(
    private readonly promotions: CartPromotionsService,
    private readonly shown: ShownCarts,
  ) {}

  @Put(':code')
  @Idempotent({ strategy: 'natural' })
  @ApiOperation({
    operationId: 'putCartPromotion',
    summary: 'Wants a promotion for a cart',
    description:
      'It has to apply to the cart as it is now. It is not used up by this: that is done by an order of the cart, which may ' +
      'find that somebody else was faster. Wanted again, it changes nothing.',
  })
  @ApiCartId()
  @ApiCode()
  @ApiConditionalWrite({})
  @ApiAnswer(201, CartView, { description: 'the cart has it now', headers: ['etag'] })
  @ApiAnswer(200, CartView, { description: 'the cart had it already', headers: ['etag'] })
  @ApiAlreadySubmitted(anOrder)
  @ApiProblems({
    404: ['cart_not_found', 'unknown_promotion'],
    409: {
      promotion_expired: reason,
      promotion_used_up: reason,
      promotion_not_applicable: reason,
      too_many_promotions: {},
    },
  })
  async put(
    @CallerOf() caller: Caller,
    @Param('id') id: string,
    @Param('code') text: string,
    @Headers('if-match') ifMatch: string | undefined,
    @EndTurnOf() endTurn: EndTurn,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<CartView> {
    const key = cartOfCaller(caller, id);
    if (!key) throw cartNotFound();
    const code = codeOf(text);
    if (code === undefined) throw new Problem(404, 'unknown_promotion', 'a code is 1 to 40 of A-Z 0-9 -');
    const { cart, created } = await this.promotions.add(key, code, ifMatch);
    void reply.status(created ? 201 : 200).header('etag', etagOf(cart.version));
    return this.shown.show(cart, endTurn);
  }

  @Delete(':code')
  @HttpCode(204)
  @Idempotent({ strategy: 'natural' })
  @ApiOperation({
    operationId: 'deleteCartPromotion',
    summary: 'Wants a promotion no more',
    description: 'It may be repeated. The ETag is that of the cart, if there is one.',
  })
  @ApiCartId()
  @ApiCode()
  @ApiConditionalWrite({})
  @ApiAnswer(204, null, { description: 'the cart does not have it', headers: ['etag'] })
  @ApiAlreadySubmitted(anOrder)
  async delete(
    @CallerOf() caller: Caller,
    @Param('id') id: string,
    @Param('code') text: string,
    @Headers('if-match') ifMatch: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const key = cartOfCaller(caller, id);
    const code = codeOf(text);
    const cart = key && code !== undefined ? await this.promotions.remove(key, code, ifMatch) : undefined;
    if (cart) void reply.header('etag', etagOf(cart.version));
  }
}
