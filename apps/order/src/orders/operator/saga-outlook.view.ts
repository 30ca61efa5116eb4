/** What may become of a saga, as operators see it before they act. */
import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import {
  type ActionName,
  actionNames,
  type OperatorAct,
  operatorActs,
  type SagaStatus,
  sagaStatuses,
} from '@shop/saga';

@ApiSchema({ name: 'SagaBecomes', description: 'Where the saga stands behind the act.' })
export class BecomesView {
  @ApiProperty({ enum: sagaStatuses, example: 'compensating' })
  status: SagaStatus;

  @ApiProperty({ description: 'the step whose reply is awaited then', example: 'charge' })
  step: string;

  @ApiProperty({ enum: actionNames, example: 'undo' })
  action: ActionName;

  @ApiProperty({ description: 'whether a command leaves at once', example: true })
  sends: boolean;

  @ApiProperty({ description: 'whether the saga is held then', example: false })
  held: boolean;
}

@ApiSchema({ name: 'ActOutlook', description: 'What an act would do now.' })
export class ActOutlookView {
  @ApiProperty({ enum: operatorActs, example: 'cancel' })
  act: OperatorAct;

  @ApiProperty({ example: true })
  possible: boolean;

  @ApiPropertyOptional({ description: 'why it is not possible: a stable code', example: 'not-parked' })
  why?: string;

  @ApiPropertyOptional({ type: BecomesView })
  becomes?: BecomesView;
}

@ApiSchema({ name: 'CorrectionOutlook', description: 'Whether the awaited command can be sent with another body.' })
export class CorrectionOutlookView {
  @ApiProperty({ example: false })
  possible: boolean;

  @ApiPropertyOptional({ description: 'why it is not possible: a stable code', example: 'outcome-unknown' })
  why?: string;

  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: true,
    description: 'the members that may be changed, as they are now',
    example: { orderId: '01a20621-a6cd-74b9-a1c3-459d717a98c4' },
  })
  body?: Record<string, unknown>;
}

@ApiSchema({ name: 'SagaOutlook', description: 'The steps to come, the steps to go back over, and the acts.' })
export class SagaOutlookView {
  @ApiProperty({
    type: [String],
    description: 'the steps that are not done, the awaited one first; none on the way back',
    example: ['charge', 'confirm'],
  })
  todo: string[];

  @ApiProperty({
    type: [String],
    description: 'the steps that are undone on the way back, or would be if it turned back now; the next one first',
    example: ['charge', 'reserve'],
  })
  undo: string[];

  @ApiProperty({ type: [ActOutlookView] })
  acts: ActOutlookView[];

  @ApiProperty({ type: CorrectionOutlookView })
  correction: CorrectionOutlookView;
}
