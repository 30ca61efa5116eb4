/** Acts on many dead letters over HTTP. */
import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiBatchId, BulkActsQuery, BulkRowsQuery } from '@shop/bulk';
import { ApiAnswer, type Caller, CallerOf, type Page, PageOf, Roles } from '@shop/http';
import { type Claim, ClaimOf, Idempotent, type Outcome } from '@shop/idempotency';
import { ApiProblems } from '@shop/problem';
import { DeadLetterBatchBody, DeadLetterBatchRowView, DeadLetterBatchView, rowJson } from './dead-letter-batch.view';
import { DeadLetterBatchesService } from './dead-letter-batches.service';

const count = { type: 'integer', description: 'how many dead letters fit the filter by now', example: 13 } as const;

@ApiTags('dead letters')
@Roles('operator')
@Controller('dead-letter-batches')
export class DeadLetterBatchesController {
  constructor(private readonly batches: DeadLetterBatchesService) {}

  @Post()
  @Idempotent({ strategy: 'atomic' })
  @ApiOperation({
    operationId: 'createDeadLetterBatch',
    summary: 'Acts on all open dead letters of a filter',
    description:
      'The letters are those that fit the filter now, of those that the groups count; what is put away later is not among ' +
      'them. The service acts on them at the rate that you say, and leaves alone what has changed since. To replay one ' +
      'is done when the broker has it; while the broker is away, it waits. It goes on when a replica is killed.',
  })
  @ApiAnswer(201, DeadLetterBatchView, { description: 'it runs', headers: ['location', 'idempotent-replayed'] })
  @ApiProblems({ 400: ['filter_required'], 409: { set_changed: { count }, too_many_batches: {} } })
  make(@CallerOf() caller: Caller, @ClaimOf() claim: Claim, @Body() body: DeadLetterBatchBody): Promise<Outcome> {
    return this.batches.make(caller, claim, body);
  }

  @Get()
  @ApiOperation({
    operationId: 'listDeadLetterBatches',
    summary: 'Acts on many dead letters, newest first, page by page',
    description: 'Those of your tenant, also those that are over.',
  })
  @ApiAnswer(200, PageOf(DeadLetterBatchView), { description: 'a page' })
  list(@CallerOf() caller: Caller, @Query() query: BulkActsQuery): Promise<Page<DeadLetterBatchView>> {
    return this.batches.list(caller, query);
  }

  @Get(':id')
  @ApiOperation({
    operationId: 'getDeadLetterBatch',
    summary: 'How far one is',
    description: 'As of its last step. Ask again to watch it.',
  })
  @ApiBatchId()
  @ApiAnswer(200, DeadLetterBatchView, { description: 'the batch as it is now' })
  @ApiProblems({ 404: ['dead_letter_batch_not_found'] })
  get(@CallerOf() caller: Caller, @Param('id') id: string): Promise<DeadLetterBatchView> {
    return this.batches.get(caller, id);
  }

  @Get(':id/rows')
  @ApiOperation({
    operationId: 'listDeadLetterBatchRows',
    summary: 'Its dead letters and what became of each, page by page',
    description: 'In the order in which they are acted on: what came first.',
  })
  @ApiBatchId()
  @ApiAnswer(200, PageOf(DeadLetterBatchRowView), { description: 'a page' })
  @ApiProblems({ 404: ['dead_letter_batch_not_found'] })
  rows(
    @CallerOf() caller: Caller,
    @Param('id') id: string,
    @Query() query: BulkRowsQuery,
  ): Promise<Page<DeadLetterBatchRowView>> {
    return this.batches.rowsOf(caller, id, query, rowJson);
  }

  @Delete(':id')
  @HttpCode(204)
  @Idempotent({ strategy: 'natural' })
  @ApiOperation({
    operationId: 'stopDeadLetterBatch',
    summary: 'Stops one',
    description:
      'When it is answered, no further letter is acted on. What was done stays done; a letter that is replayed by then is ' +
      'still handed over. One that is over stays as it is.',
  })
  @ApiBatchId()
  @ApiAnswer(204, null, { description: 'it does not run any more' })
  @ApiProblems({ 404: ['dead_letter_batch_not_found'] })
  stop(@CallerOf() caller: Caller, @Param('id') id: string): Promise<void> {
    return this.batches.stop(caller, id);
  }
}
