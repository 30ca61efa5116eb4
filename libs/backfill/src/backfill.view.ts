/** A backfill as operators see it, and what they may tell it. */
import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { IsIn, IsInt, IsOptional, Max, Min } from 'class-validator';
import { MAX_RATE_PER_SECOND } from './backfill';
import { type BackfillStatus, backfillStatuses } from './backfill-state';

/** Nobody begins the same backfill more often. */
const MAX_RUNS = 1_000_000;

export class BackfillBody {
  @ApiProperty({ enum: ['running', 'paused'], description: 'what it is to do', example: 'running' })
  @IsIn(['running', 'paused'])
  status: 'running' | 'paused';

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    maximum: MAX_RATE_PER_SECOND,
    description: 'the most rows a second; as before, if not given',
    example: 500,
  })
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(MAX_RATE_PER_SECOND)
  ratePerSecond?: number;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    maximum: MAX_RUNS,
    description:
      'which run is wanted: one more than `runs` begins one that is done from the beginning. The same again changes nothing',
    example: 1,
  })
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(MAX_RUNS)
  run?: number;
}

const nullableTime = { type: String, format: 'date-time', nullable: true } as const;

@ApiSchema({ name: 'Backfill', description: 'Work on what was there before.' })
export class BackfillView {
  @ApiProperty({ example: 'orders-before-fulfilment' })
  name: string;

  @ApiProperty({ example: 'Points for orders that were confirmed before there was fulfilment' })
  title: string;

  @ApiProperty({ enum: backfillStatuses, description: '`failed` goes on when it is told to run', example: 'running' })
  status: BackfillStatus;

  @ApiProperty({ type: 'integer', description: 'how often it was begun', example: 1 })
  runs: number;

  @ApiProperty({ type: 'integer', description: 'rows of this run so far', example: 120_000 })
  worked: number;

  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: 'about how many rows there are; null when nobody knows',
    example: 1_000_000,
  })
  estimate: number | null;

  @ApiProperty({ type: 'integer', description: 'the most rows a second', example: 500 })
  ratePerSecond: number;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'why the last try failed; null when it did not',
    example: null,
  })
  lastError: string | null;

  @ApiProperty({ ...nullableTime, description: 'when this run began', example: '2026-03-01T12:00:00.000Z' })
  startedAt: Date | null;

  @ApiProperty({ ...nullableTime, description: 'the last checkpoint', example: '2026-03-01T12:04:00.000Z' })
  workedAt: Date | null;

  @ApiProperty({ ...nullableTime, description: 'when it was done, or gave up', example: null })
  endedAt: Date | null;
}
