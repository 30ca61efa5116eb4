/** Orders: the API, the sagas behind it, and their timers. */
import { Inject, Module, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Broker, OutboxRelay, Publisher } from '@shop/messaging';
import type { Logger } from '@shop/observability';
import { Database } from '@shop/postgres';
import { Deadlines, SagaCensus, SagaEngine, type SagaRow } from '@shop/saga';
import { LOGGER } from '@shop/service';
import { Handover } from './handover';
import { OperatorService } from './operator.service';
import { followSagas, hintsOf } from './order-sagas';
import { OrderStoryController } from './order-story.controller';
import { OrderWatch } from './order-watch';
import { OrdersController } from './orders.controller';
import { OrdersService } from './orders.service';
import { orderSagas, type PlaceOrder } from './place-order.saga';
import { RepliesController } from './replies.controller';
import { SagasController } from './sagas.controller';

@Module({
  controllers: [OrdersController, OrderStoryController, SagasController, RepliesController],
  providers: [
    OrderWatch,
    OrdersService,
    OperatorService,
    { provide: SagaEngine, useFactory: createEngine, inject: [Database, Publisher, OrderWatch, OutboxRelay, LOGGER] },
    {
      provide: OutboxRelay,
      useFactory: (database: Database, broker: Broker, logger: Logger) =>
        new OutboxRelay({ service: 'order', database, broker, logger }),
      inject: [Database, Broker, LOGGER],
    },
    {
      provide: Deadlines,
      useFactory: (database: Database, engine: SagaEngine, logger: Logger) =>
        new Deadlines({ database, engine, logger }),
      inject: [Database, SagaEngine, LOGGER],
    },
    {
      provide: SagaCensus,
      useFactory: (database: Database, engine: SagaEngine, logger: Logger) =>
        new SagaCensus({ database, engine, logger }),
      inject: [Database, SagaEngine, LOGGER],
    },
  ],
})
export class OrdersModule implements OnApplicationBootstrap, OnModuleDestroy {
  constructor(
    @Inject(Deadlines) private readonly deadlines: Deadlines,
    @Inject(SagaCensus) private readonly census: SagaCensus,
    @Inject(OutboxRelay) private readonly relay: OutboxRelay,
    @Inject(SagaEngine) private readonly engine: SagaEngine,
  ) {}

  onApplicationBootstrap(): void {
    this.deadlines.start();
    this.census.start();
    this.relay.start();
  }

  async onModuleDestroy(): Promise<void> {
    await Promise.all([this.deadlines.stop(), this.census.stop(), this.relay.stop(), this.engine.settle()]);
  }
}

export function createEngine(
  database: Database,
  publisher: Publisher,
  watch: OrderWatch,
  relay: Pick<OutboxRelay, 'wake'>,
  logger: Logger,
): SagaEngine {
  const handover = new Handover(watch);
  const engine: SagaEngine = new SagaEngine({
    service: 'order',
    database,
    publisher,
    logger,
    definitions: orderSagas,
    onChange: (tx, changes) => followSagas({ engine, handover }, tx, changes),
    onCommitted: (changes) => {
      const hints = hintsOf(changes);
      // Who takes the order itself needs no hint any more.
      void handover.complete(changes).then(() => watch.announce(hints));
      // A settled order is what events tell of.
      if (hints.some(({ settled }) => settled)) relay.wake();
    },
    logFields: (saga: SagaRow) => ({ orderId: (saga.data as PlaceOrder).orderId }),
  });
  return engine;
}
