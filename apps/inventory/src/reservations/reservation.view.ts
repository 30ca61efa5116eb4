/** A reservation as clients see it. */
import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { type ReservationStatus, reservationStatuses } from '../stock/reservation';

@ApiSchema({ name: 'ReservationLine', description: 'Pieces of one SKU.' })
export class ReservationLineView {
  @ApiProperty({ description: 'stock keeping unit', example: 'cup' })
  sku: string;

  @ApiProperty({ type: 'integer', description: 'pieces', example: 2 })
  quantity: number;
}

@ApiSchema({
  name: 'Reservation',
  description: 'Pieces that are held for one client or order, and what became of them.',
})
export class ReservationView {
  @ApiProperty({ format: 'uuid', example: '01a20621-a6cd-74b9-a1c3-459d717a98c4' })
  id: string;

  @ApiProperty({
    enum: reservationStatuses,
    description: 'open: held; confirmed: sold; taken: an order holds them now; restocked: sold and come back',
    example: 'open',
  })
  status: ReservationStatus;

  @ApiProperty({ type: [ReservationLineView], description: 'as they were asked for' })
  lines: ReservationLineView[];

  @ApiPropertyOptional({
    type: [ReservationLineView],
    description: 'pieces of these, or of their components, that are not there yet and will be held when they come',
  })
  awaited?: ReservationLineView[];

  @ApiPropertyOptional({
    format: 'date-time',
    description: 'an open one ends soon after this time, if nothing becomes of it before',
    example: '2026-03-01T12:15:00.000Z',
  })
  expiresAt?: string;

  @ApiPropertyOptional({ format: 'uuid', description: 'the reservation of the order that has taken it over' })
  takenBy?: string;

  @ApiProperty({ type: 'integer', description: 'counts the changes; the ETag tells the same', example: 1 })
  version: number;

  @ApiProperty({ format: 'date-time', example: '2026-03-01T12:00:00.000Z' })
  createdAt: string;

  @ApiProperty({ format: 'date-time', example: '2026-03-01T12:00:00.000Z' })
  updatedAt: string;
}

/** What the view is made of: a row of the table, or one that is about to be written. */
export type ShownReservation = Omit<ReservationView, 'expiresAt'> & { expiresAt: string | null };

export function reservationJson(shown: ShownReservation): ReservationView {
  const { id, status, lines, awaited, expiresAt, takenBy, version, createdAt, updatedAt } = shown;
  return {
    id,
    status,
    lines,
    awaited: awaited?.length ? awaited : undefined,
    expiresAt: expiresAt ?? undefined,
    takenBy,
    version,
    createdAt,
    updatedAt,
  };
}
