/** All sagas that the service drives: every version of which a saga may still be open. */
import type { SagaDefinition } from '@shop/saga';
import { cancelOrder, cancelOrderV1 } from './cancel-order.saga';
import { placeOrder } from './place-order.saga';

export const orderSagas: readonly SagaDefinition<never>[] = [placeOrder, cancelOrderV1, cancelOrder];
