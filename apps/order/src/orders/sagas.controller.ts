/** Sagas as an operator sees them: those that have not ended, one with its history, and what can be done by hand. */
import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiProperty, ApiPropertyOptional, ApiResponse, ApiTags } from '@nestjs/swagger';
import { type Caller, CallerOf, pageOf, PageQuery, Roles } from '@shop/http';
import { type Claim, ClaimOf, Idempotent, type Outcome } from '@shop/idempotency';
import { Database } from '@shop/postgres';
import { IsText } from '@shop/problem';
import {
  type ListedSaga,
  listSagas,
  type OpenStatus,
  openStatuses,
  type OperatorAct,
  operatorActs,
  type OperatorEvent,
  type SagaView,
} from '@shop/saga';
import { IsIn, IsOptional, IsUUID, Matches, ValidateIf } from 'class-validator';
import { OperatorService } from './operator.service';
import type { PlaceOrder } from './place-order.saga';

/** A sentence or two: it is kept with the saga for good. */
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
  @ApiProperty({ enum: operatorActs })
  @IsIn(operatorActs)
  act: OperatorAct;

  @ApiPropertyOptional({ maxLength: MAX_REASON_LENGTH, description: 'why; needed to skip a step' })
  @ValidateIf(({ act, reason }: SagaActBody) => act === 'skip' || reason !== undefined)
  @IsText(MAX_REASON_LENGTH)
  @Matches(/\S/, { message: 'reason must say something' })
  reason?: string;
}

@ApiTags('sagas')
@Roles('operator')
@Controller('sagas')
export class SagasController {
  constructor(
    private readonly operator: OperatorService,
    private readonly database: Database,
  ) {}

  @Get()
  @ApiOperation({ summary: 'Sagas that have not ended, newest first, page by page' })
  async list(@CallerOf() { tenant }: Caller, @Query() { status, cursor, limit }: SagasQuery) {
    const rows = await listSagas(this.database, { tenant, status, before: cursor, limit: limit + 1 });
    return pageOf(rows, limit, { item: listedJson, cursor: ({ id }) => id });
  }

  @Get(':id')
  @ApiOperation({ summary: 'One saga, with its history' })
  @ApiResponse({ status: 404, description: 'saga_not_found' })
  get(@CallerOf() { tenant }: Caller, @Param('id') id: string): Promise<SagaView> {
    return this.operator.find(this.database, tenant, id);
  }

  @Post(':id/acts')
  @Idempotent({ strategy: 'atomic' })
  @ApiOperation({
    summary: 'Moves a saga by hand: sends its command again, skips the step it is parked at, or cancels it',
  })
  @ApiResponse({ status: 201, description: 'done, and written down; the saga with the end of its history' })
  @ApiResponse({ status: 404, description: 'saga_not_found' })
  @ApiResponse({ status: 409, description: 'act_not_possible, with the reason' })
  act(
    @CallerOf() caller: Caller,
    @ClaimOf() claim: Claim,
    @Param('id') id: string,
    @Body() body: SagaActBody,
  ): Promise<Outcome> {
    return this.operator.act({ claim, tenant: caller.tenant, sagaId: id, event: eventOf(body, caller.principal) });
  }
}

/** Without the data: where it belongs is enough, and not everything in it is to be shown. */
function listedJson({ data, ...saga }: ListedSaga) {
  return { ...saga, orderId: (data as Pick<PlaceOrder, 'orderId'>).orderId };
}

function eventOf({ act, reason }: SagaActBody, by: string): OperatorEvent {
  return act === 'skip' ? { type: 'operator', act, by, reason: reason! } : { type: 'operator', act, by, reason };
}
