/** The sagas of an order: one places it, and one cancels it after it was confirmed. */
import {
  type Capture,
  ChargePayment,
  ConfirmReservation,
  RefundPayment,
  ReleaseStock,
  ReserveStock,
  RestockReservation,
} from '@shop/contracts';
import { commandId, defineSaga, type SagaDefinition, step } from '@shop/saga';

export interface PlaceOrder {
  tenant: string;
  orderId: string;
  lines: { sku: string; quantity: number }[];
  amount: number;
  currency: string;
  /** Sealed: only the payment service opens it. */
  source: string;
  /** Absent for automatic, so that a payment service of an earlier release never sees it unless it is asked for. */
  capture?: Extract<Capture, 'manual'>;
}

/** The id of the reservation is the id of the saga that placed the order. */
const reservation = ({ tenant }: PlaceOrder, sagaId: string) => ({ tenant, reservationId: sagaId });

const reserve = step<PlaceOrder>('reserve', {
  do: { command: ReserveStock, body: (data, sagaId) => ({ lines: data.lines, ...reservation(data, sagaId) }) },
  undo: { command: ReleaseStock, body: reservation },
});
const charge = step<PlaceOrder>('charge', {
  do: {
    command: ChargePayment,
    body: ({ tenant, orderId, amount, currency, source, capture }) => ({
      tenant,
      orderId,
      amount,
      currency,
      source,
      ...(capture && { capture }),
    }),
  },
  undo: {
    command: RefundPayment,
    body: ({ tenant, orderId }, sagaId) => ({ tenant, orderId, chargeId: commandId(sagaId, 'charge', 'do') }),
  },
});
const confirm = step<PlaceOrder>('confirm', {
  do: { command: ConfirmReservation, body: reservation },
  pivot: true,
});

export const placeOrder = defineSaga<PlaceOrder>('place-order', 1, [reserve, charge, confirm], {
  // The token of somebody's card. Only the charge needs it.
  secrets: ['source'],
});

export interface CancelOrder {
  tenant: string;
  orderId: string;
  /** The saga that placed the order. */
  placedBy: string;
}

/** This saga only goes forward, because its first command already gives the money back. */
export const cancelOrder = defineSaga<CancelOrder>('cancel-order', 1, [
  step('refund', {
    do: {
      command: RefundPayment,
      body: ({ tenant, orderId, placedBy }) => ({ tenant, orderId, chargeId: commandId(placedBy, 'charge', 'do') }),
    },
  }),
  step('restock', {
    do: { command: RestockReservation, body: ({ tenant, placedBy }) => ({ tenant, reservationId: placedBy }) },
  }),
]);

/** All sagas that the service drives: every version of which a saga may still be open. */
export const orderSagas: readonly SagaDefinition<never>[] = [placeOrder, cancelOrder];
