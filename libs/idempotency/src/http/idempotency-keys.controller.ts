/** Shows callers the state of their own keys. */
import { Controller, Get, Param, Req } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiResponse, ApiTags } from '@nestjs/swagger';
import { ApiProblems, Problem } from '@shop/problem';
import { Idempotency } from '../idempotency';
import { type Caller, callerOf, scopeOf } from './caller';
import { readIdempotencyKey } from './idempotency-key';
import { IdempotencyKeyView } from './idempotency-key.view';
import { KeyedRouteList } from './route-list';

@ApiTags('idempotency')
@Controller('idempotency-keys')
export class IdempotencyKeysController {
  constructor(
    private readonly idempotency: Idempotency,
    private readonly routes: KeyedRouteList,
  ) {}

  @Get(':key')
  @ApiOperation({
    operationId: 'getIdempotencyKey',
    summary: 'The state of a key of yours, on each route where you used it',
    description: 'Tells whether a request whose answer was lost is still under way, done, or was never seen.',
  })
  @ApiParam({ name: 'key', example: '01a20621-a6cd-74b9-a1c3-459d717a98c4' })
  @ApiResponse({ status: 200, description: 'every request of yours with this key', type: IdempotencyKeyView })
  @ApiProblems({ 400: ['idempotency_key_invalid'], 404: ['idempotency_key_unknown'] })
  async get(@Req() request: { caller?: Caller }, @Param('key') text: string): Promise<IdempotencyKeyView> {
    const key = readIdempotencyKey(text);
    const caller = callerOf(request);
    const routeOf = new Map(this.routes.all().map((route) => [scopeOf(caller, route), route]));
    const states = await this.idempotency.describe([...routeOf.keys()].map((scope) => ({ scope, key })));
    if (states.length === 0)
      throw new Problem(404, 'idempotency_key_unknown', 'you have sent no request with this key');
    return { key, requests: states.map(({ scope, key: _, ...state }) => ({ route: routeOf.get(scope)!, ...state })) };
  }
}
