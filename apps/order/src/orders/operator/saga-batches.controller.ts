/** Acts on many parked sagas over HTTP. */
import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { ApiAnswer, type Caller, CallerOf, type Page, PageOf, readPage, Roles } from '@shop/http';
import { type Claim, ClaimOf, Idempotent, type Outcome } from '@shop/idempotency';
import { ApiProblems } from '@shop/problem';
import type { BatchRow } from '@shop/saga';
import {
  batchJson,
  SagaBatchBody,
  SagaBatchesQuery,
  SagaBatchRowsQuery,
  SagaBatchRowView,
  SagaBatchView,
} from './saga-batch.view';
import { SagaBatchesService } from './saga-batches.service';

const ApiBatchId = () => ApiParam({ name: 'id', format: 'uuid', example: '01a20621-a6cd-74b9-a1c3-459d717a98c4' });

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
  list(
    @CallerOf() { tenant }: Caller,
    @Query() { cursor: before, limit }: SagaBatchesQuery,
  ): Promise<Page<SagaBatchView>> {
    const read = (limit: number) => this.batches.list({ tenant, before, limit });
    return readPage(limit, read, { item: batchJson, cursor: ({ id }) => id });
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
  async get(@CallerOf() { tenant }: Caller, @Param('id') id: string): Promise<SagaBatchView> {
    return batchJson(await this.batches.get(tenant, id));
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
    @CallerOf() { tenant }: Caller,
    @Param('id') id: string,
    @Query() { cursor = '0', outcome, limit }: SagaBatchRowsQuery,
  ): Promise<Page<SagaBatchRowView>> {
    const read = (limit: number) => this.batches.rows(tenant, id, { outcome, after: Number(cursor), limit });
    return readPage(limit, read, { item: (row: BatchRow) => row, cursor: ({ position }) => String(position) });
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
