export { orderMigrations } from '../src/migrations';
export { claimOfPut } from '../src/orders/placing/place-request';
export { openOrderReplica, type OrderPorts, type OrderReplica } from './replica';
