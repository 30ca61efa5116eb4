/** A saga in the list of those that have not ended. */
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

/** Without the data: where it belongs is enough, and not everything in it is to be shown. */
export function listedJson({ data, ...saga }: ListedSaga): ListedSagaView {
  return { ...saga, orderId: (data as Pick<PlaceOrder, 'orderId'>).orderId };
}
