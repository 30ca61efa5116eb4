/** An open saga as the list shows it. */
import { ApiProperty, ApiSchema, OmitType } from '@nestjs/swagger';
import { type ListedSaga, SagaView } from '@shop/saga';
import type { PlaceOrder } from '../sagas/place-order.saga';

@ApiSchema({ name: 'ListedSaga', description: 'A saga that has not ended.' })
export class ListedSagaView extends OmitType(SagaView, ['history']) {
  @ApiProperty({ format: 'date-time', description: 'when it last moved', example: '2026-03-01T12:00:00.040Z' })
  updatedAt: string;

  @ApiProperty({ format: 'uuid', example: '01a20621-a6cd-74b9-a1c3-459d717a98c4' })
  orderId: string;
}

/** Shows only the id of the order, because not everything in the data may be shown. */
export function listedJson({ data, ...saga }: ListedSaga): ListedSagaView {
  return { ...saga, orderId: (data as Pick<PlaceOrder, 'orderId'>).orderId };
}
