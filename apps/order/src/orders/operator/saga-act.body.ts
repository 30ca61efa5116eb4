/** What an operator asks for in an act on a saga. */
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { type OperatorAct, operatorActs, type OperatorEvent } from '@shop/saga';
import { IsText } from '@shop/validation';
import { IsIn, IsObject, Matches, ValidateIf } from 'class-validator';

/** One or two sentences, because the reason is kept with the saga for good. */
export const MAX_REASON_LENGTH = 500;

const reasonNeeded: readonly OperatorAct[] = ['skip', 'hold'];

export class SagaActBody {
  @ApiProperty({ enum: operatorActs, example: 'retry' })
  @IsIn(operatorActs)
  act: OperatorAct;

  @ApiPropertyOptional({
    description: 'why; needed to skip a step, to hold a saga, and with a body',
    example: 'the provider is back',
  })
  @ValidateIf(
    ({ act, reason, body }: SagaActBody) => reasonNeeded.includes(act) || reason !== undefined || body !== undefined,
  )
  @IsText(MAX_REASON_LENGTH)
  @Matches(/\S/, { message: 'reason must say something' })
  reason?: string;

  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: true,
    description:
      'only to retry a parked saga whose command was refused: the members of the command that are new, null for those ' +
      'that are left out; the command is then sent under a new id',
    example: { orderId: '01a20621-a6cd-74b9-a1c3-459d717a98c4' },
  })
  @ValidateIf(({ act, body }: SagaActBody) => body !== undefined && act !== undefined)
  @IsObject()
  body?: Record<string, unknown>;
}

/** The act without a body. */
export function eventOf({ act, reason }: SagaActBody, by: string): OperatorEvent {
  return act === 'skip' || act === 'hold'
    ? { type: 'operator', act, by, reason: reason! }
    : { type: 'operator', act, by, reason };
}
