/**
 * One replica of the order service without Nest, HTTP and broker: its decisions and handlers, on the ports of the
 * caller.
 */
import type { Ledger } from '@shop/idempotency';
import type { Broker, Publisher } from '@shop/messaging';
import type { Logger } from '@shop/observability';
import type { Database } from '@shop/postgres';
import { Deadlines } from '@shop/saga';
import { DEVELOPMENT_DATA_KEYS, Sealer } from '@shop/sealing';
import { OrdersService } from '../src/orders/orders.service';
import { OrderWatch } from '../src/orders/reading/order-watch';
import { createOrderEngine } from '../src/orders/sagas/order-engine';
import { RepliesController } from '../src/orders/sagas/replies.controller';

export interface OrderPorts {
  database: Database;
  ledger: Ledger;
  publisher: Publisher;
  logger: Logger;
  /** Carries hints between replicas. Without one, no replica gets hints, as when the broker is away. */
  broker?: Pick<Broker, 'nats' | 'subscribe'>;
}

export interface OrderReplica {
  orders: OrdersService;
  watch: OrderWatch;
  replies: RepliesController;
  /** Not started. The caller decides when it looks. */
  deadlines: Deadlines;
}

const away = { nats: { isClosed: () => true } } as unknown as Pick<Broker, 'nats'>;

export function openOrderReplica(ports: OrderPorts): OrderReplica {
  const { database, ledger, publisher, logger, broker } = ports;
  const watch = new OrderWatch((broker ?? away) as Broker);
  if (broker) watch.onModuleInit();
  // No test here listens to events.
  const relay = { wake: () => undefined };
  const engine = createOrderEngine(database, publisher, watch, relay, logger);
  return {
    watch,
    orders: new OrdersService(database, engine, watch, ledger, new Sealer(DEVELOPMENT_DATA_KEYS)),
    replies: new RepliesController(engine),
    deadlines: new Deadlines({ database, engine, logger }),
  };
}
