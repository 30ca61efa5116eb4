/** Backfills over HTTP, for those who look after the whole platform: they work through the rows of all tenants. */
import { Body, Controller, Get, Param, Put, Query } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { ApiAnswer, type Caller, CallerOf, type Page, PageOf, PageQuery, readPage, Roles } from '@shop/http';
import { Idempotent } from '@shop/idempotency';
import { ApiProblems } from '@shop/problem';
import { BackfillBody, BackfillView } from './backfill.view';
import { BackfillsService } from './backfills.service';

const BackfillName = () => ApiParam({ name: 'name', example: 'orders-before-fulfilment' });

@ApiTags('backfills')
@Controller('backfills')
@Roles('platform')
export class BackfillsController {
  constructor(private readonly backfills: BackfillsService) {}

  @Get()
  @ApiOperation({
    operationId: 'listBackfills',
    summary: 'The backfills of this service, by name, page by page',
    description: 'Each once, also those that have never run.',
  })
  @ApiAnswer(200, PageOf(BackfillView), { description: 'a page' })
  list(@Query() { cursor: after = '', limit }: PageQuery): Promise<Page<BackfillView>> {
    const read = (limit: number) => this.backfills.list({ after, limit });
    return readPage(limit, read, { item: (backfill: BackfillView) => backfill, cursor: ({ name }) => name });
  }

  @Get(':name')
  @ApiOperation({
    operationId: 'getBackfill',
    summary: 'How far a backfill is',
    description: 'As of its last checkpoint. Ask again to watch it.',
  })
  @BackfillName()
  @ApiAnswer(200, BackfillView, { description: 'the backfill as it is now' })
  @ApiProblems({ 404: ['backfill_not_found'] })
  get(@Param('name') name: string): Promise<BackfillView> {
    return this.backfills.get(name);
  }

  @Put(':name')
  @Idempotent({ strategy: 'natural' })
  @ApiOperation({
    operationId: 'putBackfill',
    summary: 'Runs a backfill, pauses it, or changes its rate',
    description:
      'Any replica works on it, one at a time. One that was paused, or gave up, goes on behind its checkpoint. When the ' +
      'pause is answered, nothing more is written until it runs again.',
  })
  @BackfillName()
  @ApiAnswer(200, BackfillView, { description: 'the backfill as it is now' })
  @ApiProblems({
    404: ['backfill_not_found'],
    409: ['backfill_done', 'backfill_run_unknown', 'backfill_not_running'],
  })
  put(@CallerOf() caller: Caller, @Param('name') name: string, @Body() wish: BackfillBody): Promise<BackfillView> {
    return this.backfills.tell(caller, name, wish);
  }
}
