/** Open sagas in groups, and the definitions of this release, for operators. */
import { Controller, Get, Query } from '@nestjs/common';
import { ApiOperation, ApiPropertyOptional, ApiTags } from '@nestjs/swagger';
import { ApiAnswer, type Caller, CallerOf, Roles } from '@shop/http';
import { type OpenStatus, openStatuses } from '@shop/saga';
import { IsIn, IsOptional } from 'class-validator';
import { OperatorService } from './operator.service';
import { SagaCensusView, SagaDefinitionsView, SagaGroupsView } from './saga-overview.view';

class GroupsQuery {
  @ApiPropertyOptional({ enum: openStatuses, default: 'parked' })
  @IsOptional()
  @IsIn(openStatuses)
  status: OpenStatus = 'parked';
}

@ApiTags('sagas')
@Roles('operator')
@Controller()
export class SagaOverviewController {
  constructor(private readonly operator: OperatorService) {}

  @Get('sagas/groups')
  @ApiOperation({
    operationId: 'groupSagas',
    summary: 'The parked sagas by where they stand and why',
    description: 'Those of your tenant, or those that move instead. The filter of a batch takes the same words.',
  })
  @ApiAnswer(200, SagaGroupsView, { description: 'the largest groups first' })
  groups(@CallerOf() { tenant }: Caller, @Query() { status }: GroupsQuery): Promise<SagaGroupsView> {
    return this.operator.groups(tenant, status);
  }

  @Get('sagas/census')
  @ApiOperation({
    operationId: 'countSagas',
    summary: 'How many sagas are open, by where they stand; how old the oldest is, and when one moved last',
    description: 'Those of your tenant.',
  })
  @ApiAnswer(200, SagaCensusView, { description: 'as counted now' })
  census(@CallerOf() { tenant }: Caller): Promise<SagaCensusView> {
    return this.operator.census(tenant);
  }

  @Get('saga-definitions')
  @ApiOperation({
    operationId: 'listSagaDefinitions',
    summary: 'The steps that sagas take, in order',
    description: 'All versions that this release can carry out.',
  })
  @ApiAnswer(200, SagaDefinitionsView, { description: 'the definitions of this release' })
  definitions(): SagaDefinitionsView {
    return this.operator.definitions();
  }
}
