// The door of @shop/stack: PostgreSQL and NATS for start, demo, bench and tests.
export { freePort, isPortFree } from './free-port';
export { startGuard } from './guard';
export type { Guard } from './guard';
export { isAlive } from './is-alive';
export { natsLogin } from './nats';
export type { NatsAccess } from './nats';
export { natsMissing } from './nats-binary';
export { findPrometheus } from './prometheus-binary';
export type { PrometheusProgram } from './prometheus-binary';
export { StackError } from './stack-error';
export { startStack } from './stack';
export type { Stack, StackOptions } from './stack';
