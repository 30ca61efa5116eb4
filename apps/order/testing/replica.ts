/** One replica of the order service without Nest, HTTP and broker: its decisions and handlers, on the caller's ports. */
import type { Ledger } from '@shop/idempotency';
import type { Publisher } from '@shop/messaging';
import type { Logger } from '@shop/observability';
import type { Database } from '@shop/postgres';
import { Deadlines } from '@shop/saga';
import type { OrderWatch } from '../src/orders/order-watch';
import { createEngine } from '../src/orders/orders.module';
import { OrdersService } from '../src/orders/orders.service';
import { RepliesController } from '../src/orders/replies.controller';

export interface OrderPorts {
  database: Database;
  ledger: Ledger;
  publisher: Publisher;
  logger: Logger;
}

export interface OrderReplica {
  orders: OrdersService;
  replies: RepliesController;
  /** Not started: the caller says when it looks. */
  deadlines: Deadlines;
}

export function openOrderReplica({ database, ledger, publisher, logger }: OrderPorts): OrderReplica {
  // Nobody waits for an order here, so hints would go nowhere.
  const watch = { announce: () => undefined } as unknown as OrderWatch;
  // Nor does anybody listen to events.
  const relay = { wake: () => undefined };
  const engine = createEngine(database, publisher, watch, relay, logger);
  return {
    orders: new OrdersService(database, engine, watch, ledger),
    replies: new RepliesController(engine),
    deadlines: new Deadlines({ database, engine, logger }),
  };
}
