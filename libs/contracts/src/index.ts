export { busRoles } from './bus';
export {
  ConfirmReservation,
  ReleaseStock,
  ReservationBody,
  ReserveStock,
  ReserveStockBody,
  RestockReservation,
  StockLine,
} from './inventory';
export { OrderCancelled, OrderCancelledBody, OrderConfirmed, OrderConfirmedBody } from './order';
export {
  ChargePayment,
  ChargePaymentBody,
  MAX_SOURCE_LENGTH,
  placeOfSource,
  RefundPayment,
  RefundPaymentBody,
  SOURCE,
} from './payment';
export { CURRENCY, MAX_LINES, MAX_QUANTITY, SKU, TENANT } from './limits';
export { amountOfProvider, objectionToPaying, type Payable, type PaymentObjection, providerAmountOf } from './payable';
