export { busRoles } from './bus';
export { CUSTOMER_HASH, customerHash } from './customer';
export {
  DELIVERY_ID,
  DeliveryDelivered,
  DeliveryEventBody,
  DeliveryHandedOver,
  DeliveryHandedOverBody,
  StopDelivery,
  StopDeliveryBody,
} from './fulfilment';
export {
  ConfirmReservation,
  ReleaseStock,
  ReservationBody,
  ReserveStock,
  ReserveStockBody,
  RestockReservation,
  StockLine,
} from './inventory';
export {
  OrderActionRequired,
  OrderActionRequiredBody,
  OrderCancelled,
  OrderCancelledBody,
  OrderConfirmed,
  OrderConfirmedBody,
} from './order';
export {
  type Capture,
  captures,
  ChargePayment,
  ChargePaymentBody,
  MAX_SOURCE_LENGTH,
  PAYMENT_ID,
  PaymentAuthorizationExpiring,
  PaymentAuthorizationExpiringBody,
  PaymentRefundFailed,
  PaymentRefundFailedBody,
  PaymentRefunded,
  PaymentRefundedBody,
  PaymentSettled,
  PaymentSettledBody,
  placeOfSource,
  RefundPayment,
  RefundPaymentBody,
  settledStatuses,
  SOURCE,
} from './payment';
export { CURRENCY, MAX_LINES, MAX_QUANTITY, SKU, TENANT } from './limits';
export {
  amountOfProvider,
  objectionToCharging,
  objectionToPaying,
  type Payable,
  type PaymentObjection,
  providerAmountOf,
} from './payable';
