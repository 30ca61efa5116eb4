/** Points as clients see them. */
import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { type EntryKind, entryKinds, type PointEntry } from './point-entry.entity';

@ApiSchema({ name: 'PointEntry', description: 'Points that an order has earned, or that were taken back with it.' })
export class PointEntryView {
  @ApiProperty({ format: 'uuid', example: '01a20621-a6cd-74b9-a1c3-459d717a98c4' })
  orderId: string;

  @ApiProperty({ enum: entryKinds, description: 'taken_back when the order was cancelled', example: 'earned' })
  kind: EntryKind;

  @ApiProperty({ type: 'integer', description: 'less than 0 when they were taken back', example: 24 })
  points: number;

  @ApiProperty({ format: 'date-time', example: '2026-03-01T12:00:00.000Z' })
  at: string;
}

@ApiSchema({ name: 'Points', description: 'The points of a customer, and how they came about.' })
export class PointsView {
  @ApiProperty({ example: 'alice' })
  customerId: string;

  @ApiProperty({ type: 'integer', description: 'the sum of all entries, also of those on other pages', example: 24 })
  balance: number;

  @ApiProperty({ type: [PointEntryView], description: 'newest first' })
  items: PointEntryView[];

  @ApiProperty({ type: String, nullable: true, description: 'send it as `cursor` to get the next page', example: null })
  next: string | null;
}

export const entryJson = ({ orderId, kind, points, at }: PointEntry): PointEntryView => ({ orderId, kind, points, at });
