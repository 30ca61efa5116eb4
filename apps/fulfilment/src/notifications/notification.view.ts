/** A notification as operators see it: without an address, which nobody here keeps. */
import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { notificationStatuses, type NotificationStatus, type Template, templates } from './notification';
import type { NotificationEntity } from './notification.entity';

@ApiSchema({ name: 'Notification', description: 'A mail to a customer, and what came of it.' })
export class NotificationView implements Omit<NotificationEntity, 'tenant'> {
  @ApiProperty({ example: 'ntf_u0cvXt9NcH0r3cRGqAAAJ2fBYvM' })
  id: string;

  @ApiProperty({ description: 'erased, when the customer is', example: 'alice' })
  customerId: string;

  @ApiProperty({ enum: templates, description: 'what it says', example: 'order-confirmed' })
  template: Template;

  @ApiProperty({
    description: 'what it tells of, such as the order or the refund; one cause has one mail of a kind',
    example: '01a20621-a6cd-74b9-a1c3-459d717a98c4',
  })
  cause: string;

  @ApiProperty({ format: 'uuid', example: '01a20621-a6cd-74b9-a1c3-459d717a98c4' })
  orderId: string;

  @ApiProperty({
    enum: notificationStatuses,
    description: 'parked: an operator has to look at it. suppressed: it is never sent',
    example: 'sent',
  })
  status: NotificationStatus;

  @ApiProperty({
    type: String,
    nullable: true,
    description:
      'a code: why it waits (`smtp_451`, `connection_lost`, `smtp_away`, `order_away`), is parked (`smtp_550`, ' +
      '`outcome_unknown`) or suppressed (`no_address`, `before_fulfilment`, `erased`)',
    example: null,
  })
  reason: string | null;

  @ApiProperty({ type: 'integer', description: 'how often the mail server was asked to take it', example: 1 })
  attempts: number;

  @ApiProperty({
    format: 'date-time',
    description: 'while it is queued, when it is tried next',
    example: '2026-03-01T12:00:00.000Z',
  })
  nextAttemptAt: string;

  @ApiProperty({ format: 'date-time', example: '2026-03-01T12:00:00.000Z' })
  createdAt: string;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'when the mail server took it',
    example: '2026-03-01T12:00:01.000Z',
  })
  sentAt: string | null;
}

export function notificationJson({ tenant: _tenant, ...seen }: NotificationEntity): NotificationView {
  return seen;
}
