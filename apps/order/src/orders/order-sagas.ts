/** What the transitions of its sagas mean for an order; runs in the transaction of the transitions. */
import { appendEvents } from '@shop/messaging';
import type { Tx } from '@shop/postgres';
import type { NewSaga, SagaChange, SagaEngine } from '@shop/saga';
import { v7 as uuidv7 } from 'uuid';
import { eventOf } from './order-events';
import type { Handover } from './handover';
import { isSettled } from './order';
import type { Hint } from './order-watch';
import { changeStatus, changeStatusAndRead, keyOf, type StatusChange } from './orders.repository';
import { cancelOrder, type CancelOrder, type PlaceOrder, placeOrder } from './place-order.saga';

export const CANCELLED_BY_CLIENT = 'cancelled_by_client';

/** Saves the orders' new states; answers the changes of the sagas that it began. */
export function followSagas(
  { engine, handover }: { engine: SagaEngine; handover: Handover },
  tx: Tx,
  changes: readonly SagaChange[],
): SagaChange[] {
  const newest = new Map<string, { status: StatusChange; begins?: NewSaga<CancelOrder>; change: SagaChange }>();
  for (const change of changes) {
    const meaning = meaningOf(change);
    if (meaning) newest.set(keyOf(meaning.status), { change, ...meaning });
  }
  const meanings = [...newest.values()];
  const statuses = meanings.map(({ status }) => status);
  const settling = meanings
    .filter(({ status }) => isSettled(status))
    .map(({ change, status }) => ({ change, key: keyOf(status) }));
  const isAwaited = handover.prepare(settling, () => changeStatusAndRead(tx, statuses));
  if (!isAwaited) changeStatus(tx, statuses);
  appendEvents(
    tx,
    meanings.flatMap(({ status, change }) => eventOf(change.saga, status) ?? []),
  );
  const begun = meanings.flatMap(({ begins }) => begins ?? []);
  return begun.length > 0 ? engine.begin(tx, begun) : [];
}

function meaningOf({ saga }: SagaChange): { status: StatusChange; begins?: NewSaga<CancelOrder> } | undefined {
  const { tenant, orderId: id } = saga.data as PlaceOrder | CancelOrder;
  const { status, reason, cancelRequested } = saga.state;
  if (saga.definition === cancelOrder.name) {
    return status === 'completed' ? { status: { tenant, id, status: 'cancelled' } } : undefined;
  }
  if (saga.definition !== placeOrder.name) return undefined;
  switch (status) {
    case 'compensating':
      return { status: { tenant, id, status: 'cancelling', reason } };
    case 'compensated':
      return { status: { tenant, id, status: 'cancelled', reason } };
    case 'completed': {
      if (!cancelRequested) return { status: { tenant, id, status: 'confirmed' } };
      const begins = cancellation({ tenant, orderId: id, placedBy: saga.id }, saga.traceparent);
      return {
        status: { tenant, id, status: 'cancelling', reason: reason ?? CANCELLED_BY_CLIENT, cancelSagaId: begins.id },
        begins,
      };
    }
    default:
      return undefined;
  }
}

export function cancellation(data: CancelOrder, traceparent: string): NewSaga<CancelOrder> {
  return { id: uuidv7(), definition: cancelOrder, data, traceparent };
}

/** What is told of the orders: the last word on each. */
export function hintsOf(changes: readonly SagaChange[]): Hint[] {
  const hints = new Map<string, Hint>();
  for (const change of changes) {
    const { tenant, orderId: id } = change.saga.data as PlaceOrder | CancelOrder;
    const key = keyOf({ tenant, id });
    const meaning = meaningOf(change);
    const isNew = change.saga.definition === placeOrder.name && !change.before;
    hints.set(key, { key, settled: meaning !== undefined && isSettled(meaning.status), isNew });
  }
  return [...hints.values()];
}
