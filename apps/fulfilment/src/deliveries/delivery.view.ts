/** A delivery as clients see it. */
import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import {
  type DeliveryLine,
  deliveryServices,
  type DeliveryService,
  deliveryStatuses,
  type DeliveryStatus,
} from './delivery';
import type { DeliveryEntity } from './delivery.entity';

@ApiSchema({ name: 'DeliveryLine', description: 'What is in the parcel.' })
export class DeliveryLineView implements DeliveryLine {
  @ApiProperty({ example: 'mug-blue' })
  sku: string;

  @ApiProperty({ type: 'integer', example: 2 })
  quantity: number;
}

@ApiSchema({ name: 'Delivery', description: 'What brings an order to its customer.' })
export class DeliveryView implements Omit<DeliveryEntity, 'tenant' | 'placedBy' | 'stopWanted'> {
  @ApiProperty({ example: 'dlv_u0cvXt9NcH0r3cRGqAAAJ2fBYvM' })
  id: string;

  @ApiProperty({ format: 'uuid', example: '7b0b5a8e-1f6b-4c58-9d3f-2f6a7d1c9e10' })
  orderId: string;

  @ApiProperty({
    enum: deliveryStatuses,
    description:
      'handing_over: the carrier is being asked, and may have it; stopped: it was never handed over; recalled: it came ' +
      'back; parked: an operator has to look at it; elsewhere: the order is older than this service',
    example: 'handed_over',
  })
  status: DeliveryStatus;

  @ApiProperty({
    enum: deliveryServices,
    nullable: true,
    description: 'pick-up: no address is known, so the customer fetches it; null before the hand-over',
    example: 'home',
  })
  service: DeliveryService | null;

  @ApiProperty({ type: String, nullable: true, description: "the carrier's", example: 'SBX0000000017' })
  trackingNumber: string | null;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'of the label, for operators; null for others',
    example: 'https://carrier.example/carrier/v1/shipments/shp_3f0c9d/label',
  })
  labelUrl: string | null;

  @ApiProperty({ type: [DeliveryLineView] })
  lines: DeliveryLineView[];

  @ApiProperty({ type: 'integer', description: 'how often the carrier was to take it', example: 1 })
  attempts: number;

  @ApiProperty({ type: String, nullable: true, description: 'a code: what was wrong last', example: null })
  lastError: string | null;

  @ApiProperty({ type: 'integer', description: 'counts the changes; the ETag tells the same', example: 3 })
  version: number;

  @ApiProperty({ format: 'date-time', example: '2026-03-01T12:00:00.000Z' })
  createdAt: string;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, example: '2026-03-01T12:00:01.000Z' })
  handedOverAt: string | null;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'when it arrived, was stopped or came back',
    example: null,
  })
  endedAt: string | null;
}

export function deliveryJson(delivery: DeliveryEntity): DeliveryView {
  return {
    id: delivery.id,
    orderId: delivery.orderId,
    status: delivery.status,
    service: delivery.service,
    trackingNumber: delivery.trackingNumber,
    labelUrl: delivery.labelUrl,
    lines: delivery.lines.map(({ sku, quantity }) => ({ sku, quantity })),
    attempts: delivery.attempts,
    lastError: delivery.lastError,
    version: delivery.version,
    createdAt: delivery.createdAt,
    handedOverAt: delivery.handedOverAt,
    endedAt: delivery.endedAt,
  };
}

@ApiSchema({ name: 'DeliveryRetried', description: 'A delivery that is to be handed over again.' })
export class DeliveryRetriedView {
  @ApiProperty({ example: 'dlv_u0cvXt9NcH0r3cRGqAAAJ2fBYvM' })
  id: string;

  @ApiProperty({ enum: ['waiting'], type: 'string', example: 'waiting' })
  status: 'waiting';
}
