/** Acts on many parked sagas over HTTP. */
import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiBatchId, BulkActsQuery, BulkRowsQuery } from '@shop/bulk';
import { ApiAnswer, type Caller, CallerOf, type Page, PageOf, Roles } from '@shop/http';
import { type Claim, ClaimOf, Idempotent, type Outcome } from '@shop/idempotency';
import { ApiProblems } from '@shop/problem';
import { rowJson, SagaBatchBody, SagaBatchRowView, SagaBatchView } from './saga-batch.view';
import { SagaBatchesService } from './saga-batches.service';

const count = { type: 'integer', description: 'how many sagas fit the filter by now', example: 13 } as const;

@ApiTags('sagas')
@Roles('operator')
@Controller('saga-batches')
export class SagaBatchesController {
  constructor(private readonly batches: SagaBatchesService) {}

  @Post()
  @Idempotent({ strategy: 'atomic' })
  @ApiOperation({
    operationId: 'createSagaBatch',
    summary: 'Acts on all parked sagas of a filter',
    description:
      'The sagas are those that fit the filter now; what is parked later is not among them. The service acts on them at the ' +
      'rate that you say, each once, and leaves alone what has moved since. It goes on when a replica is killed.',
  })
  @ApiAnswer(201, SagaBatchView, { description: 'it runs', headers: ['location', 'idempotent-replayed'] })
  @ApiProblems({
    400: ['filter_required'],
    409: { set_changed: { count }, too_many_batches: {} },
    422: ['batch_too_large'],
  })
  make(@CallerOf() caller: Caller, @ClaimOf() claim: Claim, @Body() body: SagaBatchBody): Promise<Outcome> {
    return this.batches.make(caller, claim, body);
  }

  @Get()
  @ApiOperation({
    operationId: 'listSagaBatches',
    summary: 'Acts on many sagas, newest first, page by page',
    description: 'Those of your tenant, also those that are over.',
  })
  @ApiAnswer(200, PageOf(SagaBatchView), { description: 'a page' })
  list(@CallerOf() caller: Caller, @Query() query: BulkActsQuery): Promise<Page<SagaBatchView>> {
    return this.batches.list(caller, query);
  }

  @Get(':id')
  @ApiOperation({
    operationId: 'getSagaBatch',
    summary: 'How far one is',
    description: 'As of its last step. Ask again to watch it.',
  })
  @ApiBatchId()
  @ApiAnswer(200, SagaBatchView, { description: 'the batch as it is now' })
  @ApiProblems({ 404: ['saga_batch_not_found'] })
  get(@CallerOf() caller: Caller, @Param('id') id: string): Promise<SagaBatchView> {
    return this.batches.get(caller, id);
  }

  @Get(':id/rows')
  @ApiOperation({
    operationId: 'listSagaBatchRows',
    summary: 'Its sagas and what became of each, page by page',
    description: 'In the order in which they are acted on: the oldest saga first.',
  })
  @ApiBatchId()
  @ApiAnswer(200, PageOf(SagaBatchRowView), { description: 'a page' })
  @ApiProblems({ 404: ['saga_batch_not_found'] })
  rows(
    @CallerOf() caller: Caller,
    @Param('id') id: string,
    @Query() query: BulkRowsQuery,
  ): Promise<Page<SagaBatchRowView>> {
    return this.batches.rowsOf(caller, id, query, rowJson);
  }

  @Delete(':id')
  @HttpCode(204)
  @Idempotent({ strategy: 'natural' })
  @ApiOperation({
    operationId: 'stopSagaBatch',
    summary: 'Stops one',
    description:
      'When it is answered, nothing more is done. What was done stays done. One that is over stays as it is.',
  })
  @ApiBatchId()
  @ApiAnswer(204, null, { description: 'it does not run any more' })
  @ApiProblems({ 404: ['saga_batch_not_found'] })
  stop(@CallerOf() caller: Caller, @Param('id') id: string): Promise<void> {
    return this.batches.stop(caller, id);
  }
}
