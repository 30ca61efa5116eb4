/** Orders: the API, the sagas behind it, and their timers. */
import { Inject, Module, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Publisher } from '@shop/messaging';
import type { Logger } from '@shop/observability';
import { Database } from '@shop/postgres';
import { Deadlines, SagaEngine, type SagaRow } from '@shop/saga';
import { LOGGER } from '@shop/service';
import { followSagas, hintsOf } from './order-sagas';
import { OrderStoryController } from './order-story.controller';
import { OrderWatch } from './order-watch';
import { OrdersController } from './orders.controller';
import { OrdersService } from './orders.service';
import { cancelOrder, placeOrder, type PlaceOrder } from './place-order.saga';
import { RepliesController } from './replies.controller';

@Module({
  controllers: [OrdersController, OrderStoryController, RepliesController],
  providers: [
    OrderWatch,
    OrdersService,
    { provide: SagaEngine, useFactory: createEngine, inject: [Database, Publisher, OrderWatch, LOGGER] },
    {
      provide: Deadlines,
      useFactory: (database: Database, engine: SagaEngine, logger: Logger) =>
        new Deadlines({ database, engine, logger }),
      inject: [Database, SagaEngine, LOGGER],
    },
  ],
})
export class OrdersModule implements OnApplicationBootstrap, OnModuleDestroy {
  constructor(@Inject(Deadlines) private readonly deadlines: Deadlines) {}

  onApplicationBootstrap(): void {
    this.deadlines.start();
  }

  async onModuleDestroy(): Promise<void> {
    await this.deadlines.stop();
  }
}

export function createEngine(database: Database, publisher: Publisher, watch: OrderWatch, logger: Logger): SagaEngine {
  const engine: SagaEngine = new SagaEngine({
    service: 'order',
    database,
    publisher,
    logger,
    definitions: [placeOrder, cancelOrder],
    onChange: (tx, changes) => followSagas(engine, tx, changes),
    onCommitted: (changes) => watch.announce(hintsOf(changes)),
    logFields: (saga: SagaRow) => ({ orderId: (saga.data as PlaceOrder).orderId }),
  });
  return engine;
}
