/** The saga that cancels an order after it was confirmed. */
import { RefundPayment, RestockReservation, StopDelivery } from '@shop/contracts';
import { commandId, defineSaga, step } from '@shop/saga';

export interface CancelOrder {
  tenant: string;
  orderId: string;
  /** The saga that placed the order. */
  placedBy: string;
  /** The codes of the promotions that the order uses; absent for none. */
  promotions?: string[];
}

const refund = step<CancelOrder>('refund', {
  do: {
    command: RefundPayment,
    body: ({ tenant, orderId, placedBy }) => ({ tenant, orderId, chargeId: commandId(placedBy, 'charge', 'do') }),
  },
});
const restock = step<CancelOrder>('restock', {
  do: { command: RestockReservation, body: ({ tenant, placedBy }) => ({ tenant, reservationId: placedBy }) },
});

/** Of the time when nothing was delivered: it only goes forward. */
export const cancelOrderV1 = defineSaga<CancelOrder>('cancel-order', 1, [refund, restock]);

/**
 * Shipping is the point of no return, seen from here: once the delivery is stopped, the order is taken back whatever
 * happens. When it cannot be stopped any more, nothing was done yet, and the order stays as it was.
 */
export const cancelOrder = defineSaga<CancelOrder>('cancel-order', 2, [
  step('stop-delivery', {
    do: { command: StopDelivery, body: ({ tenant, orderId }) => ({ tenant, orderId }) },
    pivot: true,
  }),
  refund,
  restock,
]);
