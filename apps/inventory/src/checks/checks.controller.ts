/** The checks of the numbers of stock over HTTP, and their repair, for operators. */
import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiProperty, ApiTags } from '@nestjs/swagger';
import { SKU } from '@shop/contracts';
import { ApiAnswer, type Caller, CallerOf, type Page, PageOf, PageQuery, readPage, Roles } from '@shop/http';
import { type Claim, ClaimOf, Idempotent, type Outcome } from '@shop/idempotency';
import { ApiProblems } from '@shop/problem';
import { IsText } from '@shop/validation';
import { IsOptional, Matches } from 'class-validator';
import { ChecksService } from './checks.service';
import { checkOf, StockCheckView } from './stock-check';

class ChecksQuery extends PageQuery {
  @IsOptional()
  @Matches(SKU, { message: 'cursor must be `next` of the page before' })
  declare cursor?: string;
}

class RepairBody {
  @ApiProperty({ description: 'why, for those who read the audit', example: 'a row was changed by hand' })
  @IsText(200)
  reason: string;
}

@ApiTags('stock')
@Controller()
@Roles('operator')
export class ChecksController {
  constructor(private readonly checks: ChecksService) {}

  @Get('stock-checks')
  @ApiOperation({
    operationId: 'checkStock',
    summary: 'Whether the numbers of stock agree with movements and reservations, page by page',
    description: 'All numbers of a page are of one moment, and at every moment they agree. So what is not ok stays so.',
  })
  @ApiAnswer(200, PageOf(StockCheckView), { description: 'a page, in order of SKU' })
  list(
    @CallerOf() { tenant }: Caller,
    @Query() { cursor: after = '', limit }: ChecksQuery,
  ): Promise<Page<StockCheckView>> {
    const read = (limit: number) => this.checks.list({ tenant, after, limit });
    return readPage(limit, read, { item: checkOf, cursor: ({ sku }) => sku });
  }

  @Post('stock/:sku/repairs')
  @Idempotent({ strategy: 'atomic' })
  @ApiOperation({
    operationId: 'repairStock',
    summary: 'Rebuilds the reserved numbers of a SKU from the reservations',
    description:
      'Reserved and awaited pieces, those of its locations, and what customers hold are made anew, and an audit row is ' +
      'kept. What is on hand stays; a count (PUT) changes that.',
  })
  @ApiParam({ name: 'sku', description: 'stock keeping unit', example: 'cup' })
  @ApiAnswer(201, StockCheckView, { description: 'as it is now', headers: ['idempotent-replayed'] })
  @ApiProblems({ 404: ['stock_not_found'], 409: ['repair_impossible'] })
  repair(
    @CallerOf() { tenant, principal }: Caller,
    @ClaimOf() claim: Claim,
    @Param('sku') sku: string,
    @Body() { reason }: RepairBody,
  ): Promise<Outcome> {
    return this.checks.repair({ tenant, sku, by: principal, reason, claim });
  }
}
