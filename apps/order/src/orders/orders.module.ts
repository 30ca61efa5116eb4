/** Orders: the API, the sagas behind it, and their timers. */
import { Inject, Module, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { BulkWorker } from '@shop/bulk';
import { OutboxRelay, Publisher } from '@shop/messaging';
import type { Logger } from '@shop/observability';
import { Database } from '@shop/postgres';
import { endedWithin } from '@shop/resilience';
import {
  actsOnSagas,
  Deadlines,
  HoldReleases,
  OpenSagas,
  SagaCensus,
  SagaEngine,
  SagasByHand,
  StepHolds,
} from '@shop/saga';
import { Sealer } from '@shop/sealing';
import { LOGGER, sealerOf } from '@shop/service';
import { OperatorService, refusedFor } from './operator/operator.service';
import { SagaBatchesController } from './operator/saga-batches.controller';
import { SagaBatchesService } from './operator/saga-batches.service';
import { SagaHoldsController } from './operator/saga-holds.controller';
import { SagaHoldsService } from './operator/saga-holds.service';
import { SagaLiveController } from './operator/saga-live.controller';
import { SagaLedgerService } from './operator/saga-ledger.service';
import { SagaMoves } from './operator/saga-moves';
import { SagaOverviewController } from './operator/saga-overview.controller';
import { SagaSearch } from './operator/saga-search';
import { SagasController } from './operator/sagas.controller';
import { OrderEnvironment } from '../environment';
import { NeighboursModule } from '../neighbours/neighbours.module';
import { OrdersController } from './orders.controller';
import { OrdersService } from './orders.service';
import { Admission, admissionLimits } from './placing/admission';
import { OrderScreenController } from './reading/order-screen.controller';
import { OrderStoryController } from './reading/order-story.controller';
import { OrderWatch } from './reading/order-watch';
import { createOrderEngine } from './sagas/order-engine';
import { orderSagas } from './sagas/order-sagas';
import { DeliveryNewsController } from './sagas/delivery-news.controller';
import { PaymentNewsController } from './sagas/payment-news.controller';
import { RepliesController } from './sagas/replies.controller';

/** A round that waits for the database may take longer. Another replica repeats what it leaves. */
const STOP_WITHIN_MS = 3_000;

@Module({
  imports: [NeighboursModule],
  controllers: [
    OrdersController,
    OrderScreenController,
    OrderStoryController,
    SagaLiveController,
    SagaOverviewController,
    SagaHoldsController,
    SagasController,
    SagaBatchesController,
    RepliesController,
    PaymentNewsController,
    DeliveryNewsController,
  ],
  providers: [
    OrderWatch,
    OrdersService,
    OperatorService,
    SagaSearch,
    SagaMoves,
    SagaBatchesService,
    SagaHoldsService,
    SagaLedgerService,
    { provide: Sealer, useFactory: sealerOf, inject: [OrderEnvironment] },
    {
      provide: SagaEngine,
      useFactory: createOrderEngine,
      inject: [Database, Publisher, OrderWatch, OutboxRelay, OpenSagas, SagaMoves, LOGGER, StepHolds],
    },
    {
      provide: Deadlines,
      useFactory: (database: Database, engine: SagaEngine, logger: Logger) =>
        new Deadlines({ database, engine, logger }),
      inject: [Database, SagaEngine, LOGGER],
    },
    {
      provide: BulkWorker,
      useFactory: (database: Database, engine: SagaEngine, logger: Logger) =>
        new BulkWorker({ database, kind: actsOnSagas({ engine, refusedFor }), logger }),
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
      provide: StepHolds,
      useFactory: (database: Database, logger: Logger) => new StepHolds({ database, logger }),
      inject: [Database, LOGGER],
    },
    {
      provide: HoldReleases,
      useFactory: (database: Database, engine: SagaEngine, logger: Logger) =>
        new HoldReleases({ database, engine, logger }),
      inject: [Database, SagaEngine, LOGGER],
    },
    {
      provide: SagasByHand,
      useFactory: (engine: SagaEngine, holds: StepHolds) => new SagasByHand({ engine, holds, definitions: orderSagas }),
      inject: [SagaEngine, StepHolds],
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
    @Inject(BulkWorker) private readonly batches: BulkWorker,
    @Inject(StepHolds) private readonly holds: StepHolds,
    @Inject(HoldReleases) private readonly releases: HoldReleases,
  ) {}

  /** What is held is known before the first saga moves. */
  async onApplicationBootstrap(): Promise<void> {
    await this.holds.start();
    this.deadlines.start();
    this.census.start();
    this.open.start();
    this.batches.start();
    this.releases.start();
  }

  /** Runs after HTTP and the consumers have drained. */
  async onApplicationShutdown(): Promise<void> {
    const jobs = [this.deadlines, this.census, this.open, this.holds, this.releases, this.batches];
    const stops = jobs.map((job) => job.stop());
    await endedWithin(Promise.all(stops), STOP_WITHIN_MS);
  }
}
