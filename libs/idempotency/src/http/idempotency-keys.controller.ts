/** What a caller may know of its own keys. */
import { Controller, Get, Param, Req } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Problem } from '@shop/problem';
import { Idempotency } from '../idempotency';
import { readIdempotencyKey } from './idempotency-key';
import { type Caller, callerOf, scopeOf } from './keyed-routes';
import { KeyedRouteList } from './route-list';

@ApiTags('idempotency')
@Controller('idempotency-keys')
export class IdempotencyKeysController {
  constructor(
    private readonly idempotency: Idempotency,
    private readonly routes: KeyedRouteList,
  ) {}

  @Get(':key')
  @ApiOperation({ summary: 'The state of a key of yours, on each route where you used it' })
  @ApiResponse({ status: 404, description: 'idempotency_key_unknown' })
  async get(@Req() request: { caller?: Caller }, @Param('key') text: string) {
    const key = readIdempotencyKey(text);
    const caller = callerOf(request);
    const routeOf = new Map(this.routes.all().map((route) => [scopeOf(caller, route), route]));
    const states = await this.idempotency.describe([...routeOf.keys()].map((scope) => ({ scope, key })));
    if (states.length === 0)
      throw new Problem(404, 'idempotency_key_unknown', 'you have sent no request with this key');
    return { key, requests: states.map(({ scope, key: _, ...state }) => ({ route: routeOf.get(scope), ...state })) };
  }
}
