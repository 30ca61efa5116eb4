export { orderMigrations } from '../src/migrations';
export { claimOfPut } from '../src/orders/place-orders';
export { openOrderReplica, type OrderPorts, type OrderReplica } from './replica';
