/** Carts over HTTP. */
import { Body, Controller, Delete, Get, Headers, HttpCode, Param, Patch, Put, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  ApiAnswer,
  ApiConditionalRead,
  ApiConditionalWrite,
  ApiMergePatch,
  type Caller,
  CallerOf,
  type EndTurn,
  EndTurnOf,
  etagOf,
  type MergePatch,
  type Page,
  PageOf,
  PageQuery,
  readPage,
  Roles,
  unlessModified,
  reachOf,
} from '@shop/http';
import { ApiAlreadySubmitted, Idempotent } from '@shop/idempotency';
import { ApiProblems } from '@shop/problem';
import { validationFailed } from '@shop/validation';
import { IsOptional, Matches } from 'class-validator';
import type { FastifyReply } from 'fastify';
import { CART_ID } from './cart-id';
import { ApiCartId, CartBody, cartNotFound, cartOfCaller } from './cart';
import { cartSummaryJson, CartSummaryView, CartView } from './cart.view';
import { CartsService } from './carts.service';
import { ShownCarts } from './shown-carts';

class CartsQuery extends PageQuery {
  @IsOptional()
  @Matches(CART_ID, { message: 'cursor must be `next` of the page before' })
  declare cursor?: string;
}

const anOrder = '/orders/01a20621-a6cd-74b9-a1c3-459d717a98c4';

@ApiTags('carts')
@Controller('carts')
@Roles('customer', 'operator')
export class CartsController {
  constructor(
    private readonly carts: CartsService,
    private readonly shown: ShownCarts,
  ) {}

  @Get()
  @ApiOperation({
    operationId: 'listCarts',
    summary: 'Carts, newest first, page by page',
    description: 'Those that you have made. For an operator those of its tenant, whoever made them.',
  })
  @ApiAnswer(200, PageOf(CartSummaryView), { description: 'a page' })
  list(@CallerOf() caller: Caller, @Query() { cursor, limit }: CartsQuery): Promise<Page<CartSummaryView>> {
    const read = (limit: number) => this.carts.list({ ...reachOf(caller), before: cursor, limit });
    return readPage(limit, read, { item: cartSummaryJson, cursor: ({ id }) => id });
  }

  @Get(':id')
  @ApiConditionalRead()
  @ApiOperation({
    operationId: 'getCart',
    summary: 'One cart, with what it comes to now',
    description:
      'Prices, discounts and what is short are those of this moment; an order of the cart may find others. The ETag stands ' +
      'for what was put into the cart, and not for its prices: ask without If-None-Match for those.',
  })
  @ApiCartId()
  @ApiAnswer(200, CartView, { description: 'the cart as it is now', headers: ['etag'] })
  @ApiProblems({ 404: ['cart_not_found'] })
  async get(
    @CallerOf() caller: Caller,
    @Param('id') id: string,
    @Headers('if-none-match') ifNoneMatch: string | undefined,
    @EndTurnOf() endTurn: EndTurn,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<CartView | undefined> {
    const key = cartOfCaller(caller, id);
    if (!key) throw cartNotFound();
    const cart = await this.carts.get(key);
    const etag = etagOf(cart.version);
    void reply.header('etag', etag);
    if (!unlessModified(ifNoneMatch, etag)) return this.shown.show(cart, endTurn);
    void reply.status(304);
    return undefined;
  }

  @Put(':id')
  @Idempotent({ strategy: 'natural' })
  @ApiOperation({
    operationId: 'putCart',
    summary: 'Makes a cart under an id of the client, or changes the version named by If-Match',
    description:
      'The same content again changes nothing, so it may be repeated without If-Match. The promotions stay. An id under ' +
      'which somebody else has a cart is taken, whatever the content.',
  })
  @ApiCartId()
  @ApiConditionalWrite({ required: true, creates: true })
  @ApiAnswer(201, CartView, { description: 'made', headers: ['location', 'etag'] })
  @ApiAnswer(200, CartView, { description: 'changed, or as it was already', headers: ['location', 'etag'] })
  @ApiAlreadySubmitted(anOrder)
  @ApiProblems({ 409: ['cart_id_conflict', 'cart_of_another_customer'] })
  async put(
    @CallerOf() caller: Caller,
    @Param('id') id: string,
    @Body() body: CartBody,
    @Headers('if-match') ifMatch: string | undefined,
    @Headers('if-none-match') ifNoneMatch: string | undefined,
    @EndTurnOf() endTurn: EndTurn,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<CartView> {
    const key = cartOfCaller(caller, id);
    if (!key) throw validationFailed([{ path: 'id', message: 'must be 1 to 64 of A-Z a-z 0-9 _ -' }]);
    const { cart, created } = await this.carts.put(key, body, { ifMatch, ifNoneMatch });
    const headers = { location: `/carts/${cart.id}`, etag: etagOf(cart.version) };
    void reply.status(created ? 201 : 200).headers(headers);
    return this.shown.show(cart, endTurn);
  }

  @Patch(':id')
  @Idempotent({ strategy: 'natural' })
  @ApiOperation({
    operationId: 'patchCart',
    summary: 'Changes a part of the version of a cart that If-Match names',
    description:
      'The body is a JSON merge patch (RFC 7396). It does not go into lists: items are given as a whole. With an ETag in ' +
      'If-Match, a repeat of a patch that was carried out is answered with 412, and changes nothing.',
  })
  @ApiCartId()
  @ApiMergePatch(CartBody)
  @ApiConditionalWrite({ required: true })
  @ApiAnswer(200, CartView, { description: 'changed, or as it was already', headers: ['etag'] })
  @ApiAlreadySubmitted(anOrder)
  @ApiProblems({ 404: ['cart_not_found'], 409: ['cart_of_another_customer'] })
  async patch(
    @CallerOf() caller: Caller,
    @Param('id') id: string,
    @Body() body: MergePatch,
    @Headers('if-match') ifMatch: string | undefined,
    @EndTurnOf() endTurn: EndTurn,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<CartView> {
    const key = cartOfCaller(caller, id);
    if (!key) throw cartNotFound();
    const cart = await this.carts.patch(key, body, ifMatch);
    void reply.header('etag', etagOf(cart.version));
    return this.shown.show(cart, endTurn);
  }

  @Delete(':id')
  @HttpCode(204)
  @Idempotent({ strategy: 'natural' })
  @ApiOperation({
    operationId: 'deleteCart',
    summary: 'Deletes a cart that was not ordered',
    description: 'It may be repeated. Where you have no cart, there is nothing to delete, and the answer is the same.',
  })
  @ApiCartId()
  @ApiConditionalWrite({})
  @ApiAnswer(204, null, { description: 'there is no such cart any more' })
  @ApiAlreadySubmitted(anOrder)
  async delete(
    @CallerOf() caller: Caller,
    @Param('id') id: string,
    @Headers('if-match') ifMatch?: string,
  ): Promise<void> {
    const key = cartOfCaller(caller, id);
    if (key) await this.carts.delete(key, ifMatch);
  }
}
