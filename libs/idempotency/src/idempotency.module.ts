/** Brings the ledger into a Nest service: answers keyed routes, and stops the start if a repeat would not be safe. */
import {
  Global,
  Inject,
  Module,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { APP_FILTER, DiscoveryModule, HttpAdapterHost } from '@nestjs/core';
import { endedWithin } from '@shop/resilience';
import type { FastifyInstance } from 'fastify';
import { readBodiesStrictly } from './http/body-parser';
import { answerKeyedRoutes } from './http/keyed-routes';
import { Housekeeper } from './housekeeper';
import { Idempotency } from './idempotency';
import { IdempotencyKeysController } from './http/idempotency-keys.controller';
import { ConfigurableModuleClass, type IdempotencyOptions, MODULE_OPTIONS_TOKEN } from './idempotency.options';
import { Failures } from './leased/failures';
import { Ledger } from './ledger/ledger';
import { DEFAULT_RETRY_WINDOW_HOURS } from './policy';
import { PostgresLedger } from './ledger/postgres-ledger';
import { KeyedRouteList } from './http/route-list';
import { ProblemAnswers } from './http/problem-answers.filter';

/** A round that waits for the database may take longer. What it leaves is resumed elsewhere. */
const STOP_WITHIN_MS = 3_000;

@Global()
@Module({
  imports: [DiscoveryModule],
  controllers: [IdempotencyKeysController],
  providers: [
    KeyedRouteList,
    { provide: APP_FILTER, useClass: ProblemAnswers },
    { provide: Ledger, useFactory: () => new PostgresLedger() },
    { provide: Idempotency, useFactory: createIdempotency, inject: [MODULE_OPTIONS_TOKEN, Ledger] },
    { provide: Housekeeper, useFactory: createHousekeeper, inject: [MODULE_OPTIONS_TOKEN, Ledger, Idempotency] },
  ],
  exports: [Ledger, Idempotency],
})
export class IdempotencyModule
  extends ConfigurableModuleClass
  implements OnModuleInit, OnApplicationBootstrap, OnApplicationShutdown
{
  constructor(
    @Inject(MODULE_OPTIONS_TOKEN) private readonly options: IdempotencyOptions,
    private readonly routes: KeyedRouteList,
    private readonly idempotency: Idempotency,
    private readonly housekeeper: Housekeeper,
    private readonly host: HttpAdapterHost,
  ) {
    super();
  }

  onModuleInit(): void {
    this.routes.check(this.options.retryWindowHours ?? DEFAULT_RETRY_WINDOW_HOURS);
    const fastify = this.host.httpAdapter.getInstance<FastifyInstance>();
    readBodiesStrictly(fastify);
    answerKeyedRoutes(fastify, this.idempotency, this.options.logger);
  }

  onApplicationBootstrap(): void {
    if (this.options.housekeeping !== false) this.housekeeper.start();
  }

  /** All requests have ended by now, so only the housekeeper may hold leases. */
  async onApplicationShutdown(): Promise<void> {
    await endedWithin(this.housekeeper.stop(), STOP_WITHIN_MS);
    this.idempotency.works.close();
  }
}

function createIdempotency({ database, logger, leaseMs }: IdempotencyOptions, ledger: Ledger): Idempotency {
  const failures = new Failures(logger);
  return new Idempotency(database, ledger, { leaseMs, onFailure: (failure) => failures.tell(failure) });
}

function createHousekeeper(
  { database, logger }: IdempotencyOptions,
  ledger: Ledger,
  { works }: Idempotency,
): Housekeeper {
  return new Housekeeper(database, ledger, works, logger);
}
