/** The saga engine of the order service: its sagas, and the effects of their transitions on orders. */
import type { OutboxRelay, Publisher } from '@shop/messaging';
import type { Logger } from '@shop/observability';
import type { Database } from '@shop/postgres';
import { type OpenSagas, SagaEngine, type StepHolds } from '@shop/saga';
import type { OrderWatch } from '../reading/order-watch';
import type { SagaMoves } from '../operator/saga-moves';
import { orderSagas } from './order-sagas';
import type { PlaceOrder } from './place-order.saga';
import { updateOrders } from './update-orders';

export function createOrderEngine(
  database: Database,
  publisher: Publisher,
  watch: Pick<OrderWatch, 'announce'>,
  relay: Pick<OutboxRelay, 'wake'>,
  open: Pick<OpenSagas, 'note'>,
  moves: Pick<SagaMoves, 'note'>,
  logger: Logger,
  holds?: StepHolds,
): SagaEngine {
  const engine: SagaEngine = new SagaEngine({
    service: 'order',
    database,
    publisher,
    logger,
    open: {
      note: (changes) => {
        open.note(changes);
        moves.note(changes);
      },
    },
    holds,
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
