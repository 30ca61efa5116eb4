export { orderMigrations } from '../src/migrations';
export { openOrderReplica, type OrderPorts, type OrderReplica } from './replica';
