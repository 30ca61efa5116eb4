/** What the tax service has to be told, as operators see it. */
import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import type { TaxTaskEntity } from './tax-task.entity';
import { type TaxTaskKind, taxTaskKinds, type TaxTaskStatus, taxTaskStatuses } from './tax-task';
import { sum } from './share-out';

@ApiSchema({ name: 'TaxTask', description: 'What the tax service is told of an invoice or a credit note.' })
export class TaxTaskView {
  @ApiProperty({ description: 'of the invoice or the credit note', example: 'INV-2026-0001' })
  number: string;

  @ApiProperty({ enum: taxTaskKinds, description: 'refund: of a credit note', example: 'commit' })
  kind: TaxTaskKind;

  @ApiProperty({ description: 'of the invoice that it is about', example: 'INV-2026-0001' })
  invoice: string;

  @ApiProperty({ type: 'integer', description: 'gross, in minor units of the currency', example: 3_998 })
  amount: number;

  @ApiProperty({ type: 'integer', description: 'the tax in it', example: 638 })
  tax: number;

  @ApiProperty({ description: 'ISO 4217', example: 'EUR' })
  currency: string;

  @ApiProperty({
    enum: taxTaskStatuses,
    description: 'parked: refused there, or it was away for days; somebody has to look',
    example: 'done',
  })
  status: TaxTaskStatus;

  @ApiProperty({ type: 'integer', description: 'how often it was tried', example: 1 })
  attempts: number;

  @ApiProperty({ type: String, nullable: true, description: 'a code, of the last attempt', example: null })
  lastError: string | null;

  @ApiProperty({
    format: 'date-time',
    description: 'while it is open, when it is tried next',
    example: '2026-03-01T12:00:01.000Z',
  })
  nextAt: string;

  @ApiProperty({ format: 'date-time', example: '2026-03-01T12:00:00.000Z' })
  createdAt: string;
}

export function taxTaskJson(task: TaxTaskEntity): TaxTaskView {
  const { number, kind, invoice, currency, rates, status, attempts, lastError, nextAt, createdAt } = task;
  const amount = sum(rates.map(({ gross }) => gross));
  const tax = sum(rates.map((rate) => rate.tax));
  return { number, kind, invoice, amount, tax, currency, status, attempts, lastError, nextAt, createdAt };
}
