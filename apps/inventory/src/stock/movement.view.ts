/** A movement of stock as operators see it. */
import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { isUUID } from 'class-validator';
import type { MovementEntity } from './movement.entity';

@ApiSchema({ name: 'StockMovement', description: 'One change of the number on hand, which is the sum of all of them.' })
export class MovementView {
  @ApiProperty({ type: 'integer', description: 'grows with each movement', example: 7 })
  id: number;

  @ApiProperty({ type: 'integer', description: 'pieces that came (positive) or went (negative)', example: -2 })
  delta: number;

  @ApiProperty({ description: 'sold, returned, counted, or the words of whoever adjusted it', example: 'sold' })
  reason: string;

  @ApiPropertyOptional({
    format: 'uuid',
    description: 'the reservation that they were sold from or returned to',
    example: '01a20621-a6cd-74b9-a1c3-459d717a98c4',
  })
  reservationId?: string;

  @ApiPropertyOptional({ description: 'where, if the SKU has locations', example: 'berlin' })
  location?: string;

  @ApiProperty({ format: 'date-time', example: '2026-03-01T12:00:00.000Z' })
  at: string;
}

/** The causes of other movements tell nothing: they are the hashes of requests. */
export function movementJson({ id, delta, reason, cause, place, at }: MovementEntity): MovementView {
  return { id, delta, reason, reservationId: isUUID(cause) ? cause : undefined, location: place ?? undefined, at };
}
