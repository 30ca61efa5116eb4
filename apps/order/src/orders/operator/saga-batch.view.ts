/** Acts on many parked sagas, as operators ask for them and watch them. */
import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { PageQuery } from '@shop/http';
import {
  type ActionName,
  actionNames,
  type BatchFilter,
  batchStatuses,
  MAX_BATCH_ROWS,
  type BatchAct,
  batchActs,
  type RowOutcome,
  rowOutcomes,
  type SagaBatch,
} from '@shop/saga';
import { IsText } from '@shop/validation';
import { Type } from 'class-transformer';
import {
  IsDefined,
  IsIn,
  IsInt,
  IsOptional,
  IsUUID,
  Matches,
  Max,
  Min,
  ValidateIf,
  ValidateNested,
} from 'class-validator';
import { MAX_AGE_SECONDS, Word } from './sagas.query';
import { MAX_REASON_LENGTH } from './saga-act.body';

/** What is behind the sagas has to bear it. */
const MAX_RATE = 200;

@ApiSchema({ name: 'SagaBatchFilter', description: 'Which sagas are meant: those with all of these.' })
export class BatchFilterBody implements BatchFilter {
  @ApiProperty({ enum: ['parked'] })
  @IsIn(['parked'])
  status: 'parked';

  @ApiPropertyOptional({ example: 'place-order' })
  @Word()
  definition?: string;

  @ApiPropertyOptional({ example: 'charge' })
  @Word()
  step?: string;

  @ApiPropertyOptional({ enum: actionNames, example: 'undo' })
  @IsOptional()
  @IsIn(actionNames)
  action?: ActionName;

  @ApiPropertyOptional({ description: 'why they are parked', example: 'undo_unanswered' })
  @Word()
  reason?: string;

  @ApiPropertyOptional({ type: 'integer', minimum: 0, description: 'begun at least so long ago' })
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(MAX_AGE_SECONDS)
  olderThanSeconds?: number;
}

export class SagaBatchBody {
  @ApiProperty({ enum: batchActs, example: 'retry' })
  @IsIn(batchActs)
  act: BatchAct;

  @ApiPropertyOptional({ description: 'why; needed to skip a step', example: 'the provider is back' })
  @ValidateIf(({ act, reason }: SagaBatchBody) => act === 'skip' || reason !== undefined)
  @IsText(MAX_REASON_LENGTH)
  @Matches(/\S/, { message: 'reason must say something' })
  reason?: string;

  @ApiProperty({ type: BatchFilterBody, description: 'besides the status it has at least one member' })
  @IsDefined()
  @ValidateNested()
  @Type(() => BatchFilterBody)
  filter: BatchFilterBody;

  @ApiProperty({
    type: 'integer',
    minimum: 1,
    maximum: MAX_BATCH_ROWS,
    description: 'how many sagas you were shown; if there is another number by now, nothing is done',
    example: 12,
  })
  @IsInt()
  @Min(1)
  @Max(MAX_BATCH_ROWS)
  expected: number;

  @ApiProperty({ type: 'integer', minimum: 1, maximum: MAX_RATE, example: 40 })
  @IsInt()
  @Min(1)
  @Max(MAX_RATE)
  ratePerSecond: number;
}

@ApiSchema({ name: 'SagaBatch', description: 'One act on many sagas, and how far it is.' })
export class SagaBatchView {
  @ApiProperty({ format: 'uuid', example: '01a20621-a6cd-74b9-a1c3-459d717a98c4' })
  id: string;

  @ApiProperty({ enum: batchActs, example: 'retry' })
  act: BatchAct;

  @ApiProperty({ type: String, nullable: true, example: 'the provider is back' })
  reason: string | null;

  @ApiProperty({ type: BatchFilterBody })
  filter: BatchFilter & { status: 'parked' };

  @ApiProperty({ description: 'who asked for it', example: 'olga' })
  madeBy: string;

  @ApiProperty({ type: 'integer', example: 40 })
  ratePerSecond: number;

  @ApiProperty({ enum: batchStatuses, example: 'running' })
  status: SagaBatch['status'];

  @ApiProperty({ type: 'integer', description: 'how many sagas it has', example: 12 })
  count: number;

  @ApiProperty({ type: 'integer', description: 'how many were acted on', example: 7 })
  done: number;

  @ApiProperty({ type: 'integer', description: 'with how many the act was not possible', example: 1 })
  failed: number;

  @ApiProperty({ format: 'date-time', example: '2026-03-01T12:00:00.000Z' })
  createdAt: Date;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, example: null })
  endedAt: Date | null;

  @ApiProperty({ type: String, nullable: true, description: 'who stopped it', example: null })
  stoppedBy: string | null;
}

@ApiSchema({ name: 'SagaBatchRow', description: 'One saga of a batch, and what became of it.' })
export class SagaBatchRowView {
  @ApiProperty({ type: 'integer', description: 'its place in the batch, from 1', example: 1 })
  position: number;

  @ApiProperty({ format: 'uuid', example: '01a20621-a6cd-74b9-a1c3-459d717a98c4' })
  sagaId: string;

  @ApiProperty({ enum: rowOutcomes, example: 'done' })
  outcome: RowOutcome;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'why nothing was done: a stable code; repeated-or-late when it has moved since it was shown',
    example: null,
  })
  code: string | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, example: '2026-03-01T12:00:01.000Z' })
  at: Date | null;
}

export class SagaBatchesQuery extends PageQuery {
  @IsOptional()
  @IsUUID()
  declare cursor?: string;
}

export class SagaBatchRowsQuery extends PageQuery {
  @ApiPropertyOptional({ enum: rowOutcomes })
  @IsOptional()
  @IsIn(rowOutcomes)
  outcome?: RowOutcome;

  @IsOptional()
  @Matches(/^\d{1,6}$/, { message: 'cursor must be `next` of the page before' })
  declare cursor?: string;
}

/** Without the tenant, who knows it. */
export const batchJson = ({ tenant: _, filter, ...batch }: SagaBatch): SagaBatchView => ({
  ...batch,
  filter: { status: 'parked', ...filter },
});
