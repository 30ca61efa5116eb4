/** What the ledgers of the services know of the commands of a saga, as operators see it. */
import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { type ActionName, actionNames } from '@shop/saga';
import { type Executor, executors } from '../../neighbours/neighbours';

@ApiSchema({ name: 'SagaLedgerEntry', description: 'A command that its participant has taken.' })
export class LedgerEntryView {
  @ApiProperty({ example: '01a20621-a6cd-74b9-a1c3-459d717a98c4/charge/do' })
  id: string;

  @ApiProperty({ example: 'charge' })
  step: string;

  @ApiProperty({ enum: actionNames, example: 'do' })
  action: ActionName;

  @ApiProperty({ enum: executors, description: 'whose ledger it is', example: 'payment' })
  service: Executor;

  @ApiProperty({ description: 'processing, completed or erased', example: 'completed' })
  state: string;

  @ApiPropertyOptional({ type: 'integer', description: '200 when it was done, 409 when it was refused', example: 200 })
  answerStatus?: number;

  @ApiProperty({ format: 'date-time', example: '2026-03-01T12:00:00.000Z' })
  createdAt: string;

  @ApiPropertyOptional({ format: 'date-time', example: '2026-03-01T12:00:00.250Z' })
  completedAt?: string;

  @ApiPropertyOptional({ format: 'date-time', description: 'until when a repeat gets this answer' })
  expiresAt?: string;
}

@ApiSchema({ name: 'SagaLedger', description: 'In the order in which the commands were taken.' })
export class SagaLedgerView {
  @ApiProperty({ type: [LedgerEntryView] })
  items: LedgerEntryView[];

  @ApiProperty({ enum: executors, isArray: true, description: 'services that could not be asked', example: [] })
  degraded: Executor[];
}
