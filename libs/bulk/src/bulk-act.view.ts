/** What all bulk acts have in common over HTTP. Each kind adds its acts, its filter, and how it calls a subject. */
import { ApiParam, ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { PageQuery } from '@shop/http';
import { IsIn, IsInt, IsOptional, IsUUID, Matches, Max, Min, ValidateIf } from 'class-validator';
import { type BulkAct, type BulkStatus, bulkStatuses, MAX_BULK_ROWS, type RowOutcome, rowOutcomes } from './bulk-act';

/** What is behind the subjects has to bear it. */
const MAX_RATE = 200;

export const ApiBatchId = () =>
  ApiParam({ name: 'id', format: 'uuid', example: '01a20621-a6cd-74b9-a1c3-459d717a98c4' });

/** A member of a filter that may be left out. Null is no way to leave it out: it would mean everything. */
export const IfGiven = () => ValidateIf((_, value) => value !== undefined);

export class BulkActBody {
  @ApiProperty({
    type: 'integer',
    minimum: 1,
    maximum: MAX_BULK_ROWS,
    description: 'how many you were shown; if there is another number by now, nothing is done',
    example: 12,
  })
  @IsInt()
  @Min(1)
  @Max(MAX_BULK_ROWS)
  expected: number;

  @ApiProperty({ type: 'integer', minimum: 1, maximum: MAX_RATE, example: 40 })
  @IsInt()
  @Min(1)
  @Max(MAX_RATE)
  ratePerSecond: number;
}

export class BulkActView {
  @ApiProperty({ format: 'uuid', example: '01a20621-a6cd-74b9-a1c3-459d717a98c4' })
  id: string;

  @ApiProperty({ type: String, nullable: true, example: 'the provider is back' })
  reason: string | null;

  @ApiProperty({ description: 'who asked for it', example: 'olga' })
  madeBy: string;

  @ApiProperty({ type: 'integer', example: 40 })
  ratePerSecond: number;

  @ApiProperty({ enum: bulkStatuses, example: 'running' })
  status: BulkStatus;

  @ApiProperty({ type: 'integer', description: 'how many it has', example: 12 })
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

export class BulkRowView {
  @ApiProperty({ type: 'integer', description: 'its place in the batch, from 1', example: 1 })
  position: number;

  @ApiProperty({ enum: rowOutcomes, example: 'done' })
  outcome: RowOutcome;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, example: '2026-03-01T12:00:01.000Z' })
  at: Date | null;
}

export class BulkActsQuery extends PageQuery {
  @IsOptional()
  @IsUUID()
  declare cursor?: string;
}

export class BulkRowsQuery extends PageQuery {
  @ApiPropertyOptional({ enum: rowOutcomes })
  @IsOptional()
  @IsIn(rowOutcomes)
  outcome?: RowOutcome;

  @IsOptional()
  @Matches(/^\d{1,6}$/, { message: 'cursor must be `next` of the page before' })
  declare cursor?: string;
}

/** Without the tenant, who knows it. */
export const bulkActJson = ({ tenant: _, ...act }: BulkAct): Omit<BulkAct, 'tenant'> => act;
