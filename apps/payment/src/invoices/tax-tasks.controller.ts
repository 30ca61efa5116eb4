/** What the tax service has to be told over HTTP, for operators. */
import { Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiPropertyOptional, ApiTags } from '@nestjs/swagger';
import { ApiAnswer, type Caller, CallerOf, type Page, PageOf, PageQuery, readPage, Roles } from '@shop/http';
import { type Claim, ClaimOf, Idempotent, type Outcome } from '@shop/idempotency';
import { ApiProblems } from '@shop/problem';
import { IsIn, IsOptional } from 'class-validator';
import { taxTaskJson, TaxTaskView } from './tax-task.view';
import { TaxTasksService } from './tax-tasks.service';
import { type TaxTaskStatus, taxTaskStatuses } from './tax-task';

class TaxTasksQuery extends PageQuery {
  @ApiPropertyOptional({ enum: taxTaskStatuses, description: 'only those; all if it is absent' })
  @IsOptional()
  @IsIn(taxTaskStatuses)
  status?: TaxTaskStatus;
}

@ApiTags('invoices')
@Controller('tax-tasks')
@Roles('operator')
export class TaxTasksController {
  constructor(private readonly tasks: TaxTasksService) {}

  @Get()
  @ApiOperation({
    operationId: 'listTaxTasks',
    summary: 'What the tax service is told of invoices and credit notes, page by page',
    description: 'In order of their numbers. What was told is kept for 30 days.',
  })
  @ApiAnswer(200, PageOf(TaxTaskView), { description: 'a page' })
  list(
    @CallerOf() { tenant }: Caller,
    @Query() { status, cursor: after = '', limit }: TaxTasksQuery,
  ): Promise<Page<TaxTaskView>> {
    const read = (limit: number) => this.tasks.list({ tenant, status, after, limit });
    return readPage(limit, read, { item: taxTaskJson, cursor: ({ number }) => number });
  }

  @Post(':number/retry')
  @HttpCode(200)
  @Idempotent({ strategy: 'atomic' })
  @ApiOperation({
    operationId: 'retryTaxTask',
    summary: 'Tells the tax service again what is parked',
    description: 'It is tried as if it were new. Nothing is told twice: the service knows the number.',
  })
  @ApiParam({ name: 'number', description: 'of the invoice or the credit note', example: 'INV-2026-0001' })
  @ApiAnswer(200, TaxTaskView, { description: 'open again', headers: ['idempotent-replayed'] })
  @ApiProblems({ 404: ['tax_task_not_found'], 409: ['tax_task_not_parked'] })
  retry(@CallerOf() { tenant }: Caller, @ClaimOf() claim: Claim, @Param('number') number: string): Promise<Outcome> {
    return this.tasks.retry(claim, tenant, number);
  }
}
