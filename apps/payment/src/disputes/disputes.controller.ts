/** Disputes over HTTP, for operators. */
import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiPropertyOptional, ApiTags } from '@nestjs/swagger';
import { ApiAnswer, type Caller, CallerOf, type Page, PageOf, PageQuery, readPage, Roles } from '@shop/http';
import { ApiProblems } from '@shop/problem';
import { IsIn, IsOptional } from 'class-validator';
import { PaymentsService } from '../payments/payments.service';
import { disputeStatuses, type DisputeStatus } from './dispute';
import { disputeJson, DisputeView } from './dispute.view';
import { type DisputesPage, DisputesService } from './disputes.service';

class DisputesQuery extends PageQuery {
  @ApiPropertyOptional({ enum: disputeStatuses, description: 'only those; all if it is absent' })
  @IsOptional()
  @IsIn(disputeStatuses)
  status?: DisputeStatus;
}

@ApiTags('payments')
@Controller()
@Roles('operator')
export class DisputesController {
  constructor(
    private readonly payments: PaymentsService,
    private readonly disputes: DisputesService,
  ) {}

  @Get('disputes')
  @ApiOperation({
    operationId: 'listDisputes',
    summary: 'All disputes, page by page',
    description: 'The disputes of your tenant, in order of their ids.',
  })
  @ApiAnswer(200, PageOf(DisputeView), { description: 'a page' })
  list(@CallerOf() { tenant }: Caller, @Query() query: DisputesQuery): Promise<Page<DisputeView>> {
    return this.page(query, { tenant, status: query.status });
  }

  @Get('payments/:id/disputes')
  @ApiOperation({
    operationId: 'listDisputesOfPayment',
    summary: 'The disputes of a payment, page by page',
    description: 'What was opened about it, and how it ended.',
  })
  @ApiParam({ name: 'id', description: 'of the payment', example: 'pmt_u0cvXt9NcH0r3cRGqAAAJ2fBYvM' })
  @ApiAnswer(200, PageOf(DisputeView), { description: 'a page' })
  @ApiProblems({ 404: ['payment_not_found'] })
  async listOfPayment(
    @CallerOf() { tenant }: Caller,
    @Param('id') id: string,
    @Query() query: PageQuery,
  ): Promise<Page<DisputeView>> {
    const { id: paymentId } = await this.payments.get(tenant, id);
    return this.page(query, { tenant, paymentId });
  }

  private page(
    { cursor: after = '', limit }: PageQuery,
    which: Pick<DisputesPage, 'tenant' | 'paymentId' | 'status'>,
  ): Promise<Page<DisputeView>> {
    const read = (limit: number) => this.disputes.list({ ...which, after, limit });
    return readPage(limit, read, { item: disputeJson, cursor: ({ id }) => id });
  }
}
