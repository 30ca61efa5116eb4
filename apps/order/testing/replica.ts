/**
 * One replica of the order service without Nest, HTTP and broker: its decisions and handlers, on the ports of the
 * caller.
 */
import { Idempotency, type Ledger } from '@shop/idempotency';
import type { Broker, Publisher } from '@shop/messaging';
import type { Logger } from '@shop/observability';
import type { Database } from '@shop/postgres';
import { Deadlines, HoldReleases, OpenSagas, SagasByHand, StepHolds } from '@shop/saga';
import { DEVELOPMENT_DATA_KEYS, Sealer } from '@shop/sealing';
import { OperatorService } from '../src/orders/operator/operator.service';
import { SagaHoldsService } from '../src/orders/operator/saga-holds.service';
import { SagaSearch } from '../src/orders/operator/saga-search';
import { OrdersService } from '../src/orders/orders.service';
import { OrderWatch } from '../src/orders/reading/order-watch';
import { Admission } from '../src/orders/placing/admission';
import { createOrderEngine } from '../src/orders/sagas/order-engine';
import { orderSagas } from '../src/orders/sagas/order-sagas';
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
  /** Not started either, and empty until the caller lets it read. */
  holds: StepHolds;
  /** Not started either. */
  releases: HoldReleases;
  /** What operators do to one saga. */
  operator: OperatorService;
  /** What they do to a step. */
  stepHolds: SagaHoldsService;
}

/** No pace: it is kept by the clock of the machine, and a caller may have another clock. */
const AT_ONCE = 1e15;
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
  const holds = new StepHolds({ database, logger });
  const engine = createOrderEngine(database, publisher, watch, relay, open, nobodyLooks, logger, holds);
  const byHand = new SagasByHand({ engine, holds, definitions: orderSagas });
  // Lists alone search, and ask the neighbours.
  const search = new SagaSearch(database, undefined as never);
  return {
    watch,
    orders: new OrdersService(database, engine, watch, new Admission(open, roomForAll), idempotency, sealer),
    replies: new RepliesController(engine),
    paymentNews: new PaymentNewsController(engine),
    deliveryNews: new DeliveryNewsController(database),
    deadlines: new Deadlines({ database, engine, logger }),
    holds,
    releases: new HoldReleases({ database, engine, logger, perSecond: AT_ONCE }),
    operator: new OperatorService(database, idempotency, engine, search, byHand),
    stepHolds: new SagaHoldsService(database, holds, byHand, logger),
  };
}
