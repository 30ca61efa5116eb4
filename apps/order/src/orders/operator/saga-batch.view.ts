/** Acts on many parked sagas, as operators ask for them and watch them. */
import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { type BulkRow, BulkActBody, BulkActView, BulkRowView, IfGiven } from '@shop/bulk';
import { type ActionName, actionNames, type BatchAct, batchActs, type BatchFilter } from '@shop/saga';
import { IsText } from '@shop/validation';
import { Type } from 'class-transformer';
import { IsDefined, IsIn, IsInt, Matches, Max, Min, ValidateIf, ValidateNested } from 'class-validator';
import { MAX_AGE_SECONDS, MAX_WORD_LENGTH } from './sagas.query';
import { MAX_REASON_LENGTH } from './saga-act.body';

@ApiSchema({ name: 'SagaBatchFilter', description: 'Which sagas are meant: those with all of these.' })
export class BatchFilterBody implements BatchFilter {
  @ApiProperty({ enum: ['parked'] })
  @IsIn(['parked'])
  status: 'parked';

  @ApiPropertyOptional({ example: 'place-order' })
  @IfGiven()
  @IsText(MAX_WORD_LENGTH)
  definition?: string;

  @ApiPropertyOptional({ example: 'charge' })
  @IfGiven()
  @IsText(MAX_WORD_LENGTH)
  step?: string;

  @ApiPropertyOptional({ enum: actionNames, example: 'undo' })
  @IfGiven()
  @IsIn(actionNames)
  action?: ActionName;

  @ApiPropertyOptional({ description: 'why they are parked', example: 'undo_unanswered' })
  @IfGiven()
  @IsText(MAX_WORD_LENGTH)
  reason?: string;

  @ApiPropertyOptional({ type: 'integer', minimum: 0, description: 'begun at least so long ago' })
  @IfGiven()
  @IsInt()
  @Min(0)
  @Max(MAX_AGE_SECONDS)
  olderThanSeconds?: number;
}

export class SagaBatchBody extends BulkActBody {
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
}

@ApiSchema({ name: 'SagaBatch', description: 'One act on many sagas, and how far it is.' })
export class SagaBatchView extends BulkActView {
  @ApiProperty({ enum: batchActs, example: 'retry' })
  act: string;

  @ApiProperty({ type: BatchFilterBody })
  filter: object;
}

@ApiSchema({ name: 'SagaBatchRow', description: 'One saga of a batch, and what became of it.' })
export class SagaBatchRowView extends BulkRowView {
  @ApiProperty({ format: 'uuid', example: '01a20621-a6cd-74b9-a1c3-459d717a98c4' })
  sagaId: string;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'why nothing was done: a stable code; repeated-or-late when it has moved since it was shown',
    example: null,
  })
  code: string | null;
}

export const rowJson = ({ position, subjectId, outcome, code, at }: BulkRow): SagaBatchRowView => ({
  position,
  sagaId: subjectId,
  outcome,
  code,
  at,
});
