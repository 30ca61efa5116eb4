/** The tenants that have orders, for services that work through the orders of all of them. */
import { Controller, Get, Query } from '@nestjs/common';
import { ApiOperation, ApiProperty, ApiSchema, ApiTags } from '@nestjs/swagger';
import { ApiAnswer, type Caller, CallerOf, isService, type Page, PageOf, PageQuery, readPage, Roles } from '@shop/http';
import { TenantsService } from './tenants.service';

@ApiSchema({ name: 'Tenant', description: 'A tenant that has orders.' })
class TenantView {
  @ApiProperty({ example: 'acme' })
  tenant: string;
}

@ApiTags('orders')
@Controller('tenants')
@Roles('operator', 'platform')
export class TenantsController {
  constructor(private readonly tenants: TenantsService) {}

  @Get()
  @ApiOperation({
    operationId: 'listTenants',
    summary: 'The tenants that have orders, in order of their names, page by page',
    description: 'All of them for the role `platform` and for other services of the shop; for an operator its own.',
  })
  @ApiAnswer(200, PageOf(TenantView), { description: 'a page' })
  list(@CallerOf() caller: Caller, @Query() { cursor = '', limit }: PageQuery): Promise<Page<TenantView>> {
    const seesAll = caller.roles.includes('platform') || isService(caller);
    const only = seesAll ? undefined : caller.tenant;
    const read = (limit: number) => this.tenants.list({ only, after: cursor, limit });
    return readPage(limit, read, { item: (tenant) => ({ tenant }), cursor: (tenant) => tenant });
  }
}
