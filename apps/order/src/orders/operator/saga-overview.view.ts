/** The open sagas in groups, and the definitions that they follow, as operators see them. */
import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { actionNames, type ActionName, sagaStatuses } from '@shop/saga';

@ApiSchema({ name: 'SagaGroup', description: 'Sagas that stand at the same place for the same reason.' })
export class SagaGroupView {
  @ApiProperty({ example: 'place-order' })
  definition: string;

  @ApiProperty({ example: 'charge' })
  step: string;

  @ApiProperty({ enum: actionNames, example: 'undo' })
  action: ActionName;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'why they are parked, or why they turned back; null when they have not',
    example: 'undo_unanswered',
  })
  reason: string | null;

  @ApiProperty({ type: 'integer', example: 12 })
  count: number;

  @ApiProperty({
    format: 'date-time',
    description: 'when the first of them came here',
    example: '2026-03-01T12:00:00.000Z',
  })
  firstAt: Date;

  @ApiProperty({
    format: 'date-time',
    description: 'when the last of them came here',
    example: '2026-03-01T12:05:00.000Z',
  })
  lastAt: Date;
}

@ApiSchema({ name: 'SagaGroups', description: 'The largest groups first; at most 500.' })
export class SagaGroupsView {
  @ApiProperty({ type: [SagaGroupView] })
  groups: SagaGroupView[];
}

@ApiSchema({ name: 'SagaCensusGroup', description: 'Open sagas that stand at the same place.' })
export class SagaCensusGroupView {
  @ApiProperty({ example: 'place-order' })
  definition: string;

  @ApiProperty({ example: 'charge' })
  step: string;

  @ApiProperty({ enum: actionNames, example: 'do' })
  action: ActionName;

  @ApiProperty({ enum: sagaStatuses, example: 'running' })
  status: string;

  @ApiProperty({ type: 'integer', example: 12 })
  count: number;

  @ApiProperty({
    format: 'date-time',
    description: 'when the oldest of them was begun',
    example: '2026-03-01T12:00:00.000Z',
  })
  oldestAt: Date;

  @ApiProperty({ format: 'date-time', description: 'when one of them moved last', example: '2026-03-01T12:05:00.000Z' })
  lastMovedAt: Date;
}

@ApiSchema({ name: 'SagaCensus', description: 'All open sagas, counted.' })
export class SagaCensusView {
  @ApiProperty({ format: 'date-time', description: 'the time of the database', example: '2026-03-01T12:06:00.000Z' })
  at: Date;

  @ApiProperty({ type: [SagaCensusGroupView] })
  groups: SagaCensusGroupView[];
}

@ApiSchema({ name: 'SagaStep', description: 'A step of a definition.' })
export class SagaStepView {
  @ApiProperty({ example: 'charge' })
  name: string;

  @ApiProperty({ description: 'the point of no return', example: false })
  isPivot: boolean;

  @ApiProperty({ description: 'whether it is taken back when the saga turns back', example: true })
  hasUndo: boolean;
}

@ApiSchema({ name: 'SagaDefinition', description: 'The steps that sagas of this name and version take, in order.' })
export class SagaDefinitionView {
  @ApiProperty({ example: 'place-order' })
  name: string;

  @ApiProperty({ type: 'integer', example: 1 })
  version: number;

  @ApiProperty({ type: [SagaStepView] })
  steps: SagaStepView[];
}

@ApiSchema({ name: 'SagaDefinitions', description: 'All that this replica can carry out.' })
export class SagaDefinitionsView {
  @ApiProperty({ type: [SagaDefinitionView] })
  definitions: SagaDefinitionView[];
}
