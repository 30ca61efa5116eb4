/** An event of the provider as those who run the system see it. */
import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { type EventStatus, eventStatuses } from './provider-event';
import type { ProviderEventEntity } from './provider-event.entity';

const ours = { type: String, nullable: true, description: 'null when the object does not name it' } as const;

@ApiSchema({ name: 'ProviderEvent', description: 'A hint of the payment provider that there is news.' })
export class ProviderEventView implements ProviderEventEntity {
  @ApiProperty({ description: "the provider's name for it", example: 'evt_1QxY7a' })
  id: string;

  @ApiProperty({ example: 'payment_intent.succeeded' })
  type: string;

  @ApiProperty({ description: 'of what there is news', example: 'pi_3f0c9d' })
  objectId: string;

  @ApiProperty({ type: String, nullable: true, description: 'of the charge that it is about', example: 'pi_3f0c9d' })
  intentId: string | null;

  @ApiProperty({ ...ours, example: 'acme' })
  tenant: string | null;

  @ApiProperty({ ...ours, example: 'pmt_u0cvXt9NcH0r3cRGqAAAJ2fBYvM' })
  paymentId: string | null;

  @ApiProperty({ format: 'date-time', description: 'at the provider', example: '2026-03-01T12:00:00.000Z' })
  createdAt: string;

  @ApiProperty({ format: 'date-time', example: '2026-03-01T12:00:01.000Z' })
  receivedAt: string;

  @ApiProperty({ enum: eventStatuses, description: 'ignored: nothing came of it', example: 'done' })
  status: EventStatus;

  @ApiProperty({ type: 'integer', description: 'how often it was worked on', example: 1 })
  attempts: number;

  @ApiProperty({
    format: 'date-time',
    description: 'while it is open, when it is worked on next',
    example: '2026-03-01T12:00:01.500Z',
  })
  nextAt: string;

  @ApiProperty({ type: String, nullable: true, description: 'of the last attempt', example: null })
  lastError: string | null;
}
