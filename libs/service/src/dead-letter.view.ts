/** A dead letter as operators see it. */
import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import {
  type Act,
  type DeadLetter,
  type DeadLetterGroup,
  type DeadLetterState,
  deadLetterStates,
} from '@shop/messaging';

/** A sentence: it is kept with the letter for good. */
export const MAX_REASON_LENGTH = 200;

@ApiSchema({ name: 'DeadLetterAct', description: 'What an operator did about a dead letter.' })
class ActView implements Act {
  @ApiProperty({ enum: deadLetterStates.filter((state) => state !== 'open'), example: 'replayed' })
  act: Act['act'];

  @ApiProperty({ description: 'tenant and principal', example: 'acme/olga' })
  by: string;

  @ApiProperty({ example: 'mended in the release of today' })
  reason: string;

  @ApiProperty({ format: 'date-time', example: '2026-03-02T09:30:00.000Z' })
  at: string;
}

const unknown = { type: String, nullable: true, description: 'null when the message does not tell it' } as const;

@ApiSchema({ name: 'DeadLetter', description: 'A message that was given up on.' })
export class DeadLetterView implements DeadLetter {
  @ApiProperty({ format: 'uuid', example: '5f0a3d0e-4c1b-4d3a-9f57-0b9e6f0a1c2d' })
  id: string;

  @ApiProperty({ example: 'cmd.payment' })
  mailbox: string;

  @ApiProperty({ description: 'the id of the message', example: '01a20621-a6cd-74b9-a1c3-459d717a98c4/charge/do' })
  messageId: string;

  @ApiProperty({ ...unknown, example: 'payment.charge-payment.v1' })
  type: string | null;

  @ApiProperty({ ...unknown, example: '01a20621-a6cd-74b9-a1c3-459d717a98c4' })
  saga: string | null;

  @ApiProperty({ ...unknown, example: 'acme' })
  tenant: string | null;

  @ApiProperty({ description: 'false for bytes that are no batch of messages', example: true })
  readable: boolean;

  @ApiProperty({ type: 'integer', description: 'how often it was delivered', example: 6 })
  deliveries: number;

  @ApiProperty({ description: 'whether it ended the process again and again', example: false })
  killed: boolean;

  @ApiProperty({ example: 'Error: no such column' })
  lastError: string;

  @ApiProperty({ enum: deadLetterStates, example: 'open' })
  state: DeadLetterState;

  @ApiProperty({ type: 'integer', description: 'bytes, before it was cut', example: 412 })
  size: number;

  @ApiProperty({ description: 'whether it was too large to be kept whole', example: false })
  cut: boolean;

  @ApiProperty({ type: [ActView] })
  acts: ActView[];

  @ApiProperty({ type: String, format: 'date-time', example: '2026-03-01T12:00:00.000Z' })
  firstSeenAt: Date;

  @ApiProperty({ type: String, format: 'date-time', example: '2026-03-01T12:05:00.000Z' })
  lastSeenAt: Date;
}

@ApiSchema({ name: 'WholeDeadLetter', description: 'A message that was given up on, with the message itself.' })
export class WholeDeadLetterView extends DeadLetterView {
  @ApiProperty({ description: 'the message as text', example: '{"specversion":"1.0"}' })
  content: string;
}

@ApiSchema({ name: 'DeadLetterGroup', description: 'Messages of one kind that failed in the same way.' })
export class DeadLetterGroupView implements DeadLetterGroup {
  @ApiProperty({ example: 'cmd.payment' })
  mailbox: string;

  @ApiProperty({ ...unknown, example: 'payment.charge-payment.v1' })
  type: string | null;

  @ApiProperty({
    description: 'their last error, with a # for each number and id in it',
    example: 'Error: out of luck',
  })
  error: string;

  @ApiProperty({ enum: deadLetterStates, example: 'open' })
  state: DeadLetterState;

  @ApiProperty({ type: 'integer', example: 12 })
  count: number;

  @ApiProperty({ format: 'date-time', description: 'when the first came', example: '2026-03-01T12:00:00.000Z' })
  firstAt: Date;

  @ApiProperty({
    format: 'date-time',
    description: 'when one was given up on last',
    example: '2026-03-01T12:05:00.000Z',
  })
  lastAt: Date;
}

@ApiSchema({ name: 'DeadLetterGroups', description: 'The largest groups first.' })
export class DeadLetterGroupsView {
  @ApiProperty({ type: [DeadLetterGroupView] })
  groups: DeadLetterGroupView[];
}
