/** Sagas for operators over HTTP: the open sagas, one saga with its history, and the acts of an operator. */
import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiProperty, ApiPropertyOptional, ApiTags } from '@nestjs/swagger';
import { ApiAnswer, type Caller, CallerOf, type Page, PageOf, PageQuery, readPage, Roles } from '@shop/http';
import { type Claim, ClaimOf, Idempotent, type Outcome } from '@shop/idempotency';
import { ApiProblems } from '@shop/problem';
import { IsText } from '@shop/validation';
import {
  type OpenStatus,
  openStatuses,
  type OperatorAct,
  operatorActs,
  type OperatorEvent,
  SagaView,
} from '@shop/saga';
import { IsIn, IsOptional, IsUUID, Matches, ValidateIf } from 'class-validator';
import { OperatorService } from './operator.service';
import { listedJson, ListedSagaView } from './listed-saga.view';

/** One or two sentences, because the reason is kept with the saga for good. */
const MAX_REASON_LENGTH = 500;

class SagasQuery extends PageQuery {
  @ApiPropertyOptional({ enum: openStatuses, description: 'all of these, if not given' })
  @IsOptional()
  @IsIn(openStatuses)
  status?: OpenStatus;

  @IsOptional()
  @IsUUID()
  declare cursor?: string;
}

class SagaActBody {
  @ApiProperty({ enum: operatorActs, example: 'retry' })
  @IsIn(operatorActs)
  act: OperatorAct;

  @ApiPropertyOptional({ description: 'why; needed to skip a step', example: 'the provider is back' })
  @ValidateIf(({ act, reason }: SagaActBody) => act === 'skip' || reason !== undefined)
  @IsText(MAX_REASON_LENGTH)
  @Matches(/\S/, { message: 'reason must say something' })
  reason?: string;
}

const ApiSagaId = () => ApiParam({ name: 'id', format: 'uuid', example: '01a20621-a6cd-74b9-a1c3-459d717a98c4' });

const whyNotPossible = { type: 'string', description: 'why not: a stable code', example: 'not-parked' } as const;

@ApiTags('sagas')
@Roles('operator')
@Controller('sagas')
export class SagasController {
  constructor(private readonly operator: OperatorService) {}

  @Get()
  @ApiOperation({
    operationId: 'listSagas',
    summary: 'Sagas that have not ended, newest first, page by page',
    description: 'The sagas of your tenant. One that has ended is found by its order, or by its id.',
  })
  @ApiAnswer(200, PageOf(ListedSagaView), { description: 'a page' })
  list(@CallerOf() { tenant }: Caller, @Query() { status, cursor, limit }: SagasQuery): Promise<Page<ListedSagaView>> {
    const read = (limit: number) => this.operator.list({ tenant, status, before: cursor, limit });
    return readPage(limit, read, { item: listedJson, cursor: ({ id }) => id });
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

  @Post(':id/acts')
  @Idempotent({ strategy: 'atomic' })
  @ApiOperation({
    operationId: 'actOnSaga',
    summary: 'Moves a saga by hand',
    description: 'Sends its command again, skips the step it is parked at, or cancels it; who did it and why is kept.',
  })
  @ApiSagaId()
  @ApiAnswer(201, SagaView, {
    description: 'done, and written down; the saga with the end of its history',
    headers: ['location', 'idempotent-replayed'],
  })
  @ApiProblems({ 404: ['saga_not_found'], 409: { act_not_possible: { reason: whyNotPossible } } })
  act(
    @CallerOf() caller: Caller,
    @ClaimOf() claim: Claim,
    @Param('id') id: string,
    @Body() body: SagaActBody,
  ): Promise<Outcome> {
    return this.operator.act({ claim, tenant: caller.tenant, sagaId: id, event: eventOf(body, caller.principal) });
  }
}

function eventOf({ act, reason }: SagaActBody, by: string): OperatorEvent {
  return act === 'skip' ? { type: 'operator', act, by, reason: reason! } : { type: 'operator', act, by, reason };
}
