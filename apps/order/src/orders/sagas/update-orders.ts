/** Updates orders after transitions of their sagas. It runs in the transaction of the transitions. */
import { appendEvents } from '@shop/messaging';
import type { Tx } from '@shop/postgres';
import type { NewSaga, SagaChange, SagaEngine } from '@shop/saga';
import { v7 as uuidv7 } from 'uuid';
import { moveUses, type UseMove } from '../../promotions/promotion-uses.repository';
import { isSettled, needsCustomer } from '../order';
import { changeStatus, keyOf, type StatusChange } from '../orders.repository';
import type { Hint } from '../reading/order-watch';
import { cancelOrder, type CancelOrder } from './cancel-order.saga';
import { eventOf } from './order-events';
import { type PlaceOrder, placeOrder } from './place-order.saga';

export const CANCELLED_BY_CLIENT = 'cancelled_by_client';

export interface UpdateOrdersOptions {
  engine: Pick<SagaEngine, 'begin'>;
  /** Called after the commit with the orders that have moved, and whether there are events of them. */
  announce: (hints: readonly Hint[], events: boolean) => void;
}

/** Saves the new states of the orders, appends the events for other services, and begins the cancelling sagas. */
export function updateOrders({ engine, announce }: UpdateOrdersOptions, tx: Tx, changes: readonly SagaChange[]): void {
  const newest = new Map<string, Meaning & { change: SagaChange }>();
  for (const change of changes) {
    const meaning = meaningOf(change);
    if (meaning) newest.set(keyOf(meaning.status), { change, ...meaning });
  }
  const meanings = [...newest.values()];
  moveUses(tx, meanings.flatMap(usesOf));
  changeStatus(
    tx,
    meanings.map(({ status }) => status),
  );
  const events = meanings.flatMap(({ status, change }) => eventOf(change.saga, status) ?? []);
  appendEvents(tx, events);
  const begins = meanings.flatMap((meaning) => meaning.begins ?? []);
  if (begins.length > 0) engine.begin(tx, begins);
  tx.afterCommit(() => announce(hintsOf(changes), events.length > 0));
}

interface Meaning {
  status: StatusChange;
  begins?: NewSaga<CancelOrder>;
}

function meaningOf({ saga, before, nextAction }: SagaChange): Meaning | undefined {
  const { tenant, orderId: id } = saga.data as PlaceOrder | CancelOrder;
  const { status, reason, cancelRequested } = saga.state;
  if (saga.definition === cancelOrder.name) {
    if (status === 'completed') return { status: { tenant, id, status: 'cancelled' } };
    // Its delivery could not be stopped. Only what was told to be confirmed is delivered, so that was told before.
    return status === 'compensated'
      ? { status: { tenant, id, status: 'confirmed', cancellationRefused: reason } }
      : undefined;
  }
  if (saga.definition !== placeOrder.name) return undefined;
  switch (status) {
    case 'compensating':
      return { status: { tenant, id, status: 'cancelling', reason } };
    case 'compensated':
      return { status: { tenant, id, status: 'cancelled', reason } };
    case 'completed': {
      if (!cancelRequested) return { status: { tenant, id, status: 'confirmed' } };
      const { promotions } = saga.data as PlaceOrder;
      const begins = cancellation(
        { tenant, orderId: id, placedBy: saga.id, ...(promotions && { promotions }) },
        saga.traceparent,
      );
      return {
        status: { tenant, id, status: 'cancelling', reason: reason ?? CANCELLED_BY_CLIENT, cancelSagaId: begins.id },
        begins,
      };
    }
    case 'running':
      // The order is as it was, and only what its customer has to do is new or over.
      return nextAction || before?.waiting ? { status: { tenant, id, status: 'pending', nextAction } } : undefined;
    default:
      return undefined;
  }
}

/** The uses of promotions end with the order: they are confirmed with it, or given back. Most orders have none. */
function usesOf({
  status: { tenant, id, status, cancellationRefused },
  change,
}: Meaning & { change: SagaChange }): UseMove[] {
  const { promotions = [] } = change.saga.data as PlaceOrder | CancelOrder;
  if (cancellationRefused !== undefined || (status !== 'confirmed' && status !== 'cancelled')) return [];
  const became = status === 'confirmed' ? 'confirmed' : 'returned';
  return promotions.map((code) => ({ tenant, code, orderId: id, status: became }));
}

export function cancellation(data: CancelOrder, traceparent: string): NewSaga<CancelOrder> {
  return { id: uuidv7(), definition: cancelOrder, data, traceparent };
}

/** The orders that have moved, each with its newest state. */
function hintsOf(changes: readonly SagaChange[]): Hint[] {
  const hints = new Map<string, Hint>();
  for (const change of changes) {
    const { tenant, orderId: id } = change.saga.data as PlaceOrder | CancelOrder;
    const meaning = meaningOf(change);
    const key = keyOf({ tenant, id });
    const settled = meaning !== undefined && isSettled(meaning.status);
    hints.set(key, meaning && needsCustomer(meaning.status) ? { key, settled, waits: true } : { key, settled });
  }
  return [...hints.values()];
}
