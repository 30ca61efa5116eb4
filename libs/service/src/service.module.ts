/**
 * The parts of every service: its database, its broker, its ledger and its log. They are opened at start and closed in
 * order.
 */
import { type DynamicModule, Global, Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { createHealthModule, MetricsModule, Readiness, Roles } from '@shop/http';
import { IdempotencyKeysController, IdempotencyModule } from '@shop/idempotency';
import {
  Broker,
  type Credentials,
  DeadLetterEntity,
  DeadLetters,
  JetStreamServer,
  Publisher,
  type Tls,
} from '@shop/messaging';
import { countedElsewhere, type Logger } from '@shop/observability';
import { createDatabase, Database, migrate, refuseSharedSessions, traffic } from '@shop/postgres';
import { endedWithin } from '@shop/resilience';
import { DataSource } from 'typeorm';
import { DeadLettersController } from './dead-letters.controller';
import { DeadLettersService } from './dead-letters.service';
import { ErasureController } from './erasure.controller';
import { followHealth, healthChecks } from './health';
import { LOGGER } from './logger';

export interface ServiceModuleOptions {
  service: string;
  logger: Logger;
  databaseUrl: string;
  natsUrl: string;
  credentials?: Credentials;
  tls?: Tls;
  migrations: Function[];
  /** The entities of the tables of the service. Its modules get the repositories with `TypeOrmModule.forFeature`. */
  entities?: Function[];
}

/** Whoever does not answer by then is left: the process is about to end. */
const CLOSE_WITHIN_MS = 2_000;

// Whoever sends keyed requests may ask about them. The library of the ledger knows no roles.
Roles('customer', 'operator')(IdempotencyKeysController);

@Global()
@Module({})
export class ServiceModule implements OnApplicationShutdown {
  constructor(
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(Database) private readonly database: Database,
    @Inject(Broker) private readonly broker: Broker,
    @Inject(JetStreamServer) server: JetStreamServer,
    @Inject(Readiness) readiness: Readiness,
  ) {
    followHealth(readiness, server, logger);
  }

  static register(options: ServiceModuleOptions): DynamicModule {
    const { logger } = options;
    countedElsewhere('postgres_statements_total', 'Statements sent to PostgreSQL', () => traffic.statements);
    countedElsewhere('postgres_round_trips_total', 'Round trips to PostgreSQL', () => traffic.roundTrips);
    const providers = [
      { provide: LOGGER, useValue: logger },
      { provide: Database, useFactory: () => openDatabase(options) },
      // `forFeature` needs this provider. `TypeOrmModule.forRoot` would also close the data source, and would do so
      // before the broker is closed.
      { provide: DataSource, useFactory: ({ dataSource }: Database) => dataSource, inject: [Database] },
      // Behind the database: a service that cannot use its database leaves nothing at the broker.
      { provide: Broker, useFactory: () => openBroker(options), inject: [Database] },
      { provide: Publisher, useFactory: (broker: Broker) => new Publisher(broker, logger), inject: [Broker] },
      {
        provide: JetStreamServer,
        useFactory: (broker: Broker, publisher: Publisher, database: Database) =>
          new JetStreamServer(broker, publisher, new DeadLetters(database, logger), logger),
        inject: [Broker, Publisher, Database],
      },
    ];
    const health = createHealthModule({
      inject: [Database, Broker, JetStreamServer],
      useFactory: healthChecks,
    });
    const idempotency = IdempotencyModule.registerAsync({
      inject: [Database],
      useFactory: (database: Database) => ({ database, logger }),
    });
    return {
      module: ServiceModule,
      controllers: [ErasureController, DeadLettersController],
      imports: [idempotency, MetricsModule, health, TypeOrmModule.forFeature([DeadLetterEntity])],
      providers: [...providers, DeadLettersService],
      exports: providers,
    };
  }

  /** Runs after HTTP and the consumers have drained. The other side may not answer any more. */
  async onApplicationShutdown(): Promise<void> {
    await this.closed('broker', this.broker.close());
    await this.closed('database', this.database.close());
  }

  private async closed(what: string, closing: Promise<void>): Promise<void> {
    if (!(await endedWithin(closing, CLOSE_WITHIN_MS))) this.logger.warn({ what }, 'service.close.late');
  }
}

async function openDatabase(options: ServiceModuleOptions): Promise<Database> {
  const { service, databaseUrl, migrations, entities = [], logger } = options;
  await refuseSharedSessions(databaseUrl);
  const database = createDatabase({
    url: databaseUrl,
    applicationName: `shop-${service}`,
    migrations,
    entities: [DeadLetterEntity, ...entities],
  });
  database.connections.onSilence = (afterMs) => logger.warn({ afterMs }, 'database.silent');
  const done = await migrate(database);
  if (done.length > 0) logger.info({ migrations: done }, 'database.migrated');
  return database;
}

async function openBroker({ service, natsUrl, credentials, tls, logger }: ServiceModuleOptions): Promise<Broker> {
  const broker = new Broker({ url: natsUrl, service, credentials, tls, logger });
  await broker.connect();
  return broker;
}
