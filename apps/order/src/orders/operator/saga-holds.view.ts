/** Held steps, as operators place and see them. */
import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import type { StepHold } from '@shop/saga';
import { IsText } from '@shop/validation';
import { Matches } from 'class-validator';
import { MAX_REASON_LENGTH } from './saga-act.body';

export class SagaHoldBody {
  @ApiProperty({ description: 'why', example: 'the provider charges twice' })
  @IsText(MAX_REASON_LENGTH)
  @Matches(/\S/, { message: 'reason must say something' })
  reason: string;
}

@ApiSchema({
  name: 'SagaHold',
  description: 'A step that is held: its command is not sent, and its deadlines stand still.',
})
export class SagaHoldView {
  @ApiProperty({ description: 'the name of the saga’s definition, in all its versions', example: 'place-order' })
  definition: string;

  @ApiProperty({ example: 'charge' })
  step: string;

  @ApiProperty({ description: 'who', example: 'olga' })
  by: string;

  @ApiProperty({ description: 'why', example: 'the provider charges twice' })
  reason: string;

  @ApiProperty({ format: 'date-time', example: '2026-03-01T12:00:00.000Z' })
  since: string;
}

@ApiSchema({ name: 'ListedSagaHold', description: 'A step that is held, and how many sagas stand there.' })
export class ListedSagaHoldView extends SagaHoldView {
  @ApiProperty({ type: 'integer', description: 'how many sagas stand there', example: 42 })
  sagas: number;
}

@ApiSchema({ name: 'SagaHolds', description: 'The steps that are held.' })
export class SagaHoldsView {
  @ApiProperty({ type: [ListedSagaHoldView], description: 'in order of definition and step' })
  holds: ListedSagaHoldView[];
}

export const holdJson = ({ definition, step, by, reason, since }: StepHold): SagaHoldView => ({
  definition,
  step,
  by,
  reason,
  since: since.toISOString(),
});
