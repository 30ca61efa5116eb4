/** Sagas for operators over HTTP: the open sagas, one saga with its history, and the acts of an operator. */
import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { ApiAnswer, type Caller, CallerOf, Roles } from '@shop/http';
import { type Claim, ClaimOf, Idempotent, type Outcome } from '@shop/idempotency';
import { ApiProblems } from '@shop/problem';
import { SagaView } from '@shop/saga';
import { OperatorService } from './operator.service';
import { SagaActBody } from './saga-act.body';
import { SagaLedgerService } from './saga-ledger.service';
import { SagaLedgerView } from './saga-ledger.view';
import { SagaOutlookView } from './saga-outlook.view';
import { SagasPageView, SagasQuery } from './sagas.query';

const ApiSagaId = () => ApiParam({ name: 'id', format: 'uuid', example: '01a20621-a6cd-74b9-a1c3-459d717a98c4' });

const whyNotPossible = { type: 'string', description: 'why not: a stable code', example: 'not-parked' } as const;

@ApiTags('sagas')
@Roles('operator')
@Controller('sagas')
export class SagasController {
  constructor(
    private readonly operator: OperatorService,
    private readonly ledger: SagaLedgerService,
  ) {}

  @Get()
  @ApiOperation({
    operationId: 'listSagas',
    summary: 'Sagas, newest first, page by page',
    description:
      'The sagas of your tenant: those that are open, unless you ask for others. Payment is asked for its ids, for a few ' +
      'tenths of a second; when it gives no answer by then, `degraded` says so, and the status is 200 all the same.',
  })
  @ApiAnswer(200, SagasPageView, { description: 'a page' })
  list(@CallerOf() { tenant }: Caller, @Query() query: SagasQuery): Promise<SagasPageView> {
    return this.operator.list(tenant, query);
  }

  @Get(':id')
  @ApiOperation({
    operationId: 'getSaga',
    summary: 'One saga, with its history',
    description: 'Where it stands and how it got there.',
  })
  @ApiSagaId()
  @ApiAnswer(200, SagaView, { description: 'the saga as it is now' })
  @ApiProblems({ 404: ['saga_not_found'] })
  get(@CallerOf() { tenant }: Caller, @Param('id') id: string): Promise<SagaView> {
    return this.operator.get(tenant, id);
  }

  @Get(':id/outlook')
  @ApiOperation({
    operationId: 'getSagaOutlook',
    summary: 'What may become of a saga',
    description: 'The steps to come, those that a turn back would undo, and what each act would do if it came now.',
  })
  @ApiSagaId()
  @ApiAnswer(200, SagaOutlookView, { description: 'as it looks now' })
  @ApiProblems({ 404: ['saga_not_found'], 409: ['saga_version_unknown'] })
  outlook(@CallerOf() { tenant }: Caller, @Param('id') id: string): Promise<SagaOutlookView> {
    return this.operator.outlook(tenant, id);
  }

  @Get(':id/ledger')
  @ApiOperation({
    operationId: 'getSagaLedger',
    summary: 'What the ledgers of the services know of its commands',
    description:
      'A command that is not in it was never taken, or its entry is older than the ledger keeps. The services are asked for a ' +
      'few tenths of a second; those that give no answer by then are named in `degraded`, and the status is 200 all the same.',
  })
  @ApiSagaId()
  @ApiAnswer(200, SagaLedgerView, { description: 'as it is now' })
  @ApiProblems({ 404: ['saga_not_found'] })
  entries(@CallerOf() { tenant }: Caller, @Param('id') id: string): Promise<SagaLedgerView> {
    return this.ledger.entries(tenant, id);
  }

  @Post(':id/acts')
  @Idempotent({ strategy: 'atomic' })
  @ApiOperation({
    operationId: 'actOnSaga',
    summary: 'Moves a saga by hand',
    description:
      'Sends its command again, if need be with another body; skips the step it is parked at; cancels it; or holds it, so ' +
      'that it sends nothing and its deadline stands still until it is resumed. Who did it and why is kept.',
  })
  @ApiSagaId()
  @ApiAnswer(201, SagaView, {
    description: 'done, and written down; the saga with the end of its history',
    headers: ['location', 'idempotent-replayed'],
  })
  @ApiProblems({
    400: ['validation_failed'],
    404: ['saga_not_found'],
    409: { act_not_possible: { reason: whyNotPossible } },
  })
  act(
    @CallerOf() caller: Caller,
    @ClaimOf() claim: Claim,
    @Param('id') id: string,
    @Body() body: SagaActBody,
  ): Promise<Outcome> {
    return this.operator.act({ claim, tenant: caller.tenant, sagaId: id, by: caller.principal, body });
  }
}
