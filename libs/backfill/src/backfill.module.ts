/** The backfills of a service: their API, and the worker that each replica has. */
import {
  type DynamicModule,
  type FactoryProvider,
  Inject,
  Module,
  type ModuleMetadata,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import type { Logger } from '@shop/observability';
import { Database } from '@shop/postgres';
import { endedWithin } from '@shop/resilience';
import { LOGGER } from '@shop/service';
import type { Backfill } from './backfill';
import { enterBackfills } from './backfill.repository';
import { BackfillWorker } from './backfill-worker';
import { BACKFILLS, BackfillsService } from './backfills.service';
import { BackfillsController } from './backfills.controller';

/** Makes the backfills of a service, of what is injected. */
export interface BackfillModuleOptions
  extends Pick<ModuleMetadata, 'imports'>, Pick<FactoryProvider<Backfill[]>, 'inject' | 'useFactory'> {}

/** A step is short; what is read from another service may take longer, and nothing of that is kept. */
const STOP_WITHIN_MS = 3_000;

@Module({})
export class BackfillModule implements OnApplicationBootstrap, OnApplicationShutdown {
  constructor(
    @Inject(BACKFILLS) private readonly backfills: readonly Backfill[],
    @Inject(Database) private readonly database: Database,
    @Inject(BackfillWorker) private readonly worker: BackfillWorker,
  ) {}

  static register({ imports, inject, useFactory }: BackfillModuleOptions): DynamicModule {
    return {
      module: BackfillModule,
      imports,
      controllers: [BackfillsController],
      providers: [
        { provide: BACKFILLS, inject, useFactory },
        BackfillsService,
        {
          provide: BackfillWorker,
          inject: [Database, BACKFILLS, LOGGER],
          useFactory: (database: Database, backfills: Backfill[], logger: Logger) =>
            new BackfillWorker({ database, backfills, logger }),
        },
      ],
    };
  }

  async onApplicationBootstrap(): Promise<void> {
    await enterBackfills(
      this.database,
      this.backfills.map(({ name }) => name),
    );
    this.worker.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await endedWithin(this.worker.stop(), STOP_WITHIN_MS);
  }
}
