/** Orders: the API, the sagas behind it, and their timers. */
import { Inject, Module, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { OutboxRelay, Publisher } from '@shop/messaging';
import type { Logger } from '@shop/observability';
import { Database } from '@shop/postgres';
import { endedWithin } from '@shop/resilience';
import { Deadlines, OpenSagas, SagaCensus, SagaEngine } from '@shop/saga';
import { Sealer } from '@shop/sealing';
import { LOGGER, sealerOf } from '@shop/service';
import { OperatorService } from './operator/operator.service';
import { SagasController } from './operator/sagas.controller';
import { OrderEnvironment } from '../environment';
import { OrdersController } from './orders.controller';
import { OrdersService } from './orders.service';
import { Admission, admissionLimits } from './placing/admission';
import { OrderStoryController } from './reading/order-story.controller';
import { OrderWatch } from './reading/order-watch';
import { createOrderEngine } from './sagas/order-engine';
import { PaymentNewsController } from './sagas/payment-news.controller';
import { RepliesController } from './sagas/replies.controller';

/** A round that waits for the database may take longer. Another replica repeats what it leaves. */
const STOP_WITHIN_MS = 3_000;

@Module({
  controllers: [OrdersController, OrderStoryController, SagasController, RepliesController, PaymentNewsController],
  providers: [
    OrderWatch,
    OrdersService,
    OperatorService,
    { provide: Sealer, useFactory: sealerOf, inject: [OrderEnvironment] },
    {
      provide: SagaEngine,
      useFactory: createOrderEngine,
      inject: [Database, Publisher, OrderWatch, OutboxRelay, OpenSagas, LOGGER],
    },
    {
      provide: Deadlines,
      useFactory: (database: Database, engine: SagaEngine, logger: Logger) =>
        new Deadlines({ database, engine, logger }),
      inject: [Database, SagaEngine, LOGGER],
    },
    {
      provide: Admission,
      useFactory: (open: OpenSagas, environment: OrderEnvironment) => new Admission(open, admissionLimits(environment)),
      inject: [OpenSagas, OrderEnvironment],
    },
    {
      provide: OpenSagas,
      useFactory: (database: Database, logger: Logger) => new OpenSagas({ database, logger }),
      inject: [Database, LOGGER],
    },
    {
      provide: SagaCensus,
      useFactory: (database: Database, engine: SagaEngine, logger: Logger) =>
        new SagaCensus({ database, engine, logger }),
      inject: [Database, SagaEngine, LOGGER],
    },
  ],
})
export class OrdersModule implements OnApplicationBootstrap, OnApplicationShutdown {
  constructor(
    @Inject(Deadlines) private readonly deadlines: Deadlines,
    @Inject(SagaCensus) private readonly census: SagaCensus,
    @Inject(OpenSagas) private readonly open: OpenSagas,
  ) {}

  onApplicationBootstrap(): void {
    this.deadlines.start();
    this.census.start();
    this.open.start();
  }

  /** Runs after HTTP and the consumers have drained. */
  async onApplicationShutdown(): Promise<void> {
    const stops = [this.deadlines.stop(), this.census.stop(), this.open.stop()];
    await endedWithin(Promise.all(stops), STOP_WITHIN_MS);
  }
}
