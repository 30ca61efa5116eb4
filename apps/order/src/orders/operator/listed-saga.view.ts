/** A saga as the list shows it. */
import { ApiProperty, ApiPropertyOptional, ApiSchema, OmitType } from '@nestjs/swagger';
import { type ListedSaga, SagaView } from '@shop/saga';
import type { PlaceOrder } from '../sagas/place-order.saga';

@ApiSchema({ name: 'ListedSaga', description: 'A saga, without its history.' })
export class ListedSagaView extends OmitType(SagaView, ['history']) {
  @ApiPropertyOptional({
    description: 'why it is parked: a stable code; missing when it is not',
    example: 'undo_unanswered',
  })
  parkedReason?: string;

  @ApiProperty({ format: 'date-time', description: 'when it was begun', example: '2026-03-01T12:00:00.000Z' })
  createdAt: string;

  @ApiProperty({ format: 'date-time', description: 'when it last moved', example: '2026-03-01T12:00:00.040Z' })
  updatedAt: string;

  @ApiProperty({ format: 'uuid', example: '01a20621-a6cd-74b9-a1c3-459d717a98c4' })
  orderId: string;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'whose order it is; null when the order is not there',
    example: 'c-4711',
  })
  customerId: string | null;
}

export const orderIdOf = ({ data }: Pick<ListedSaga, 'data'>): string => (data as Pick<PlaceOrder, 'orderId'>).orderId;

/** Shows only the id of the order, because not everything in the data may be shown. */
export function listedJson({ data, ...saga }: ListedSaga, customers: ReadonlyMap<string, string>): ListedSagaView {
  const orderId = orderIdOf({ data });
  return { ...saga, orderId, customerId: customers.get(orderId) ?? null };
}
