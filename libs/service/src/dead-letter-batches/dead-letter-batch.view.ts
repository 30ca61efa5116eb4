/** Acts on many dead letters, as operators ask for them and watch them. */
import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { BulkActBody, BulkActView, type BulkRow, BulkRowView, IfGiven } from '@shop/bulk';
import { type DeadLetterFilter, MAX_GROUP_ERROR } from '@shop/messaging';
import { IsText } from '@shop/validation';
import { Type } from 'class-transformer';
import { IsDefined, IsIn, IsInt, Matches, Max, Min, ValidateIf, ValidateNested } from 'class-validator';
import { MAX_REASON_LENGTH } from '../dead-letter.view';
import { letterActs, type LetterAct } from './dead-letter-batches';

/** As long as the columns of the table. */
const MAX_MAILBOX_LENGTH = 100;
const MAX_TYPE_LENGTH = 200;
/** Some thirty years. */
const MAX_AGE_SECONDS = 1_000_000_000;

@ApiSchema({ name: 'DeadLetterBatchFilter', description: 'Which dead letters are meant: those with all of these.' })
export class DeadLetterFilterBody implements DeadLetterFilter {
  @ApiProperty({ enum: ['open'] })
  @IsIn(['open'])
  state: 'open';

  @ApiPropertyOptional({ example: 'cmd.payment' })
  @IfGiven()
  @IsText(MAX_MAILBOX_LENGTH)
  mailbox?: string;

  @ApiPropertyOptional({
    type: String,
    nullable: true,
    description: 'null means those whose type nobody could read',
    example: 'payment.charge-payment.v1',
  })
  // What a message says of itself may be an empty text, and so may an error.
  @ValidateIf((_, value) => value !== undefined && value !== null && value !== '')
  @IsText(MAX_TYPE_LENGTH)
  type?: string | null;

  @ApiPropertyOptional({ description: 'exactly as the groups show it', example: 'Error: out of luck' })
  @ValidateIf((_, value) => value !== undefined && value !== '')
  @IsText(MAX_GROUP_ERROR)
  error?: string;

  @ApiPropertyOptional({ type: 'integer', minimum: 0, description: 'given up on last at least so long ago' })
  @IfGiven()
  @IsInt()
  @Min(0)
  @Max(MAX_AGE_SECONDS)
  olderThanSeconds?: number;
}

export class DeadLetterBatchBody extends BulkActBody {
  @ApiProperty({ enum: letterActs, example: 'replay' })
  @IsIn(letterActs)
  act: LetterAct;

  @ApiProperty({ description: 'why', example: 'mended in the release of today' })
  @IsText(MAX_REASON_LENGTH)
  @Matches(/\S/, { message: 'reason must say something' })
  reason: string;

  @ApiProperty({ type: DeadLetterFilterBody, description: 'besides the state it has at least one member' })
  @IsDefined()
  @ValidateNested()
  @Type(() => DeadLetterFilterBody)
  filter: DeadLetterFilterBody;
}

@ApiSchema({ name: 'DeadLetterBatch', description: 'One act on many dead letters, and how far it is.' })
export class DeadLetterBatchView extends BulkActView {
  @ApiProperty({ enum: letterActs, example: 'replay' })
  act: string;

  @ApiProperty({ type: DeadLetterFilterBody })
  filter: object;
}

@ApiSchema({ name: 'DeadLetterBatchRow', description: 'One dead letter of a batch, and what became of it.' })
export class DeadLetterBatchRowView extends BulkRowView {
  @ApiProperty({ format: 'uuid', example: '5f0a3d0e-4c1b-4d3a-9f57-0b9e6f0a1c2d' })
  deadLetterId: string;

  @ApiProperty({
    type: String,
    nullable: true,
    description:
      'why nothing was done: a stable code; dead_letter_changed when somebody has acted on it or it came again since it ' +
      'was shown, dead_letter_cut when it was too large to be kept whole',
    example: null,
  })
  code: string | null;
}

export const rowJson = ({ position, subjectId, outcome, code, at }: BulkRow): DeadLetterBatchRowView => ({
  position,
  deadLetterId: subjectId,
  outcome,
  code,
  at,
});
