/** The saga that places an order. */
import {
  type Capture,
  ChargePayment,
  ConfirmReservation,
  RefundPayment,
  ReleaseStock,
  ReserveStock,
} from '@shop/contracts';
import { commandId, defineSaga, step } from '@shop/saga';

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
  /** Hash of the customer, for limits of pieces per customer. */
  customer?: string;
  /** The reservation that the client had made before, and that the order takes over. */
  takes?: string;
  /** The codes of the promotions that it uses; absent for none. */
  promotions?: string[];
}

/** The id of the reservation is the id of the saga that placed the order. */
const reservation = ({ tenant }: PlaceOrder, sagaId: string) => ({ tenant, reservationId: sagaId });

const reserve = step<PlaceOrder>('reserve', {
  do: {
    command: ReserveStock,
    body: (data, sagaId) => ({
      lines: data.lines,
      ...reservation(data, sagaId),
      ...(data.takes && { takes: data.takes }),
      ...(data.customer && { customer: data.customer }),
    }),
  },
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
  // The token of somebody's card, which only the charge needs, and who the customer is, which only the reservation needs.
  secrets: ['source', 'customer'],
});
