/** The saga engine of the order service: its sagas, and the effects of their transitions on orders. */
import type { OutboxRelay, Publisher } from '@shop/messaging';
import type { Logger } from '@shop/observability';
import type { Database } from '@shop/postgres';
import { type OpenSagas, SagaEngine } from '@shop/saga';
import type { OrderWatch } from '../reading/order-watch';
import { orderSagas, type PlaceOrder } from './place-order.saga';
import { updateOrders } from './update-orders';

export function createOrderEngine(
  database: Database,
  publisher: Publisher,
  watch: Pick<OrderWatch, 'announce'>,
  relay: Pick<OutboxRelay, 'wake'>,
  open: Pick<OpenSagas, 'note'>,
  logger: Logger,
): SagaEngine {
  const engine: SagaEngine = new SagaEngine({
    service: 'order',
    database,
    publisher,
    logger,
    open,
    definitions: orderSagas,
    onChange: (tx, changes) => updateOrders({ engine, announce }, tx, changes),
    logFields: (saga) => ({ orderId: (saga.data as PlaceOrder).orderId }),
  });
  const announce: Parameters<typeof updateOrders>[0]['announce'] = (hints, events) => {
    watch.announce(hints);
    if (events) relay.wake();
  };
  return engine;
}
