export { type Carrier, NotTakenError, type Parcel, type Shipment } from '../src/deliveries/carrier';
export type { CarrierEvent } from '../src/deliveries/carrier-event';
export { deliveryIdOf } from '../src/deliveries/delivery';
export { fulfilmentMigrations } from '../src/migrations';
export type { Delivery as Sending, Letter } from '../src/notifications/mailer';
export {
  type FulfilmentPorts,
  type FulfilmentReplica,
  type Mailer,
  type Neighbour,
  openFulfilmentReplica,
} from './replica';
