/** Orders: the API, the sagas behind it, and their timers. */
import { Inject, Module, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Broker, OutboxRelay, Publisher } from '@shop/messaging';
import type { Logger } from '@shop/observability';
import { Database } from '@shop/postgres';
import { Deadlines, SagaCensus, SagaEngine } from '@shop/saga';
import { LOGGER } from '@shop/service';
import { OperatorService } from './operator/operator.service';
import { SagasController } from './operator/sagas.controller';
import { OrdersController } from './orders.controller';
import { OrdersService } from './orders.service';
import { OrderStoryController } from './reading/order-story.controller';
import { OrderWatch } from './reading/order-watch';
import { createOrderEngine } from './sagas/order-engine';
import { RepliesController } from './sagas/replies.controller';

@Module({
  controllers: [OrdersController, OrderStoryController, SagasController, RepliesController],
  providers: [
    OrderWatch,
    OrdersService,
    OperatorService,
    {
      provide: SagaEngine,
      useFactory: createOrderEngine,
      inject: [Database, Publisher, OrderWatch, OutboxRelay, LOGGER],
    },
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
  ) {}

  onApplicationBootstrap(): void {
    this.deadlines.start();
    this.census.start();
    this.relay.start();
  }

  async onModuleDestroy(): Promise<void> {
    await Promise.all([this.deadlines.stop(), this.census.stop(), this.relay.stop()]);
  }
}
