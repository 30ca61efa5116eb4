/** The sagas of an order as clients see them, all at once and transition by transition. */
import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { SagaView, TransitionView } from '@shop/saga';

@ApiSchema({ name: 'OrderSaga', description: 'The saga that places an order.' })
export class OrderSagaView extends SagaView {
  @ApiPropertyOptional({ type: SagaView, description: 'the saga that cancels the order after it was confirmed' })
  cancelledBy?: SagaView;
}

@ApiSchema({ name: 'Move', description: 'One move of a saga of an order.' })
export class OrderMoveView extends TransitionView {
  @ApiProperty({ description: 'the name of the definition of the saga', example: 'place-order' })
  saga: string;
}
