/**
 * One replica of the order service without Nest, HTTP and broker: its decisions and handlers, on the ports of the
 * caller.
 */
import { Idempotency, type Ledger } from '@shop/idempotency';
import type { Broker, Publisher } from '@shop/messaging';
import type { Logger } from '@shop/observability';
import type { Database } from '@shop/postgres';
import { Deadlines, OpenSagas } from '@shop/saga';
import { DEVELOPMENT_DATA_KEYS, Sealer } from '@shop/sealing';
import { OrdersService } from '../src/orders/orders.service';
import { OrderWatch } from '../src/orders/reading/order-watch';
import { Admission } from '../src/orders/placing/admission';
import { createOrderEngine } from '../src/orders/sagas/order-engine';
import { DeliveryNewsController } from '../src/orders/sagas/delivery-news.controller';
import { PaymentNewsController } from '../src/orders/sagas/payment-news.controller';
import { RepliesController } from '../src/orders/sagas/replies.controller';

export interface OrderPorts {
  database: Database;
  ledger: Ledger;
  publisher: Publisher;
  logger: Logger;
  /** Carries hints between replicas. Without one, no replica gets hints, as when the broker is away. */
  broker?: Pick<Broker, 'nats' | 'subscribe'>;
  /** Is woken when there are events to publish. Without it nobody publishes them. */
  relay?: { wake: () => void };
}

export interface OrderReplica {
  orders: OrdersService;
  watch: OrderWatch;
  replies: RepliesController;
  /** Takes the events of the payment service. */
  paymentNews: PaymentNewsController;
  /** Takes the events of the fulfilment service. */
  deliveryNews: DeliveryNewsController;
  /** Not started. The caller decides when it looks. */
  deadlines: Deadlines;
}

const MANY = 1_000_000;
const nobodyLooks = { note: () => undefined };
const nobody = { wake: () => undefined };
const away = { nats: { isClosed: () => true } } as unknown as Pick<Broker, 'nats'>;

export function openOrderReplica(ports: OrderPorts): OrderReplica {
  const { database, ledger, publisher, logger, broker, relay = nobody } = ports;
  const watch = new OrderWatch((broker ?? away) as Broker);
  if (broker) watch.onModuleInit();
  const idempotency = new Idempotency(database, ledger);
  const sealer = new Sealer(DEVELOPMENT_DATA_KEYS);
  // Nobody starts it: the orders of a test find room.
  const open = new OpenSagas({ database, logger });
  const roomForAll = { perTenant: MANY, inAll: MANY, begun: MANY, waiting: 0, waitMs: 0 };
  const engine = createOrderEngine(database, publisher, watch, relay, open, nobodyLooks, logger);
  return {
    watch,
    orders: new OrdersService(database, engine, watch, new Admission(open, roomForAll), idempotency, sealer),
    replies: new RepliesController(engine),
    paymentNews: new PaymentNewsController(engine),
    deliveryNews: new DeliveryNewsController(database),
    deadlines: new Deadlines({ database, engine, logger }),
  };
}
