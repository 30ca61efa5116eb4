/**
 * The parts of every service: its database, its broker, its ledger and its log. They are opened at start and closed in
 * order.
 */
import {
  type DynamicModule,
  Global,
  Inject,
  Module,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  Optional,
} from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { BulkWorker } from '@shop/bulk';
import { createHealthModule, MetricsModule, Readiness, Roles } from '@shop/http';
import { IdempotencyKeysController, IdempotencyModule } from '@shop/idempotency';
import {
  Broker,
  ConsumerLag,
  type Credentials,
  DeadLetterEntity,
  DeadLetters,
  JetStreamServer,
  OutboxLag,
  OutboxRelay,
  Publisher,
  type Tls,
} from '@shop/messaging';
import { countedElsewhere, type Logger } from '@shop/observability';
import { Database, traffic } from '@shop/postgres';
import { endedWithin } from '@shop/resilience';
import { DataSource } from 'typeorm';
import { actsOnLetters } from './dead-letter-batches/dead-letter-batches';
import { DeadLetterBatchesController } from './dead-letter-batches/dead-letter-batches.controller';
import { DeadLetterBatchesService } from './dead-letter-batches/dead-letter-batches.service';
import { DeadLettersController } from './dead-letters.controller';
import { DeadLettersService } from './dead-letters.service';
import { ErasureController } from './erasure/erasure.controller';
import { ErasureService } from './erasure/erasure.service';
import { noOwnData, OWN_DATA, type OwnData } from './erasure/own-data';
import { StoredAnswersController } from './erasure/stored-answers.controller';
import { followHealth, healthChecks } from './health';
import { LedgerEntriesController, SERVICE } from './ledger-entries.controller';
import { LOGGER } from './logger';
import { type DatabaseSettings, openDatabase } from './open-database';
import { measurePool } from './pool-metrics';
import { TableSizes } from './table-sizes';

export interface ServiceModuleOptions {
  service: string;
  logger: Logger;
  database: DatabaseSettings;
  natsUrl: string;
  credentials?: Credentials;
  tls?: Tls;
  migrations: Function[];
  /** The entities of the tables of the service. Its modules get the repositories with `TypeOrmModule.forFeature`. */
  entities?: Function[];
  /** What an erasure finds in the tables of the service. */
  ownData?: OwnData;
  /** It publishes events: what `appendEvents` has written in its database, which has `outboxMigrations`. */
  tells?: boolean;
}

/** A round that waits for the database may take longer. Another replica repeats what it leaves. */
const STOP_WITHIN_MS = 3_000;
/** Whoever does not answer by then is left: the process is about to end. */
const CLOSE_WITHIN_MS = 2_000;

// Whoever sends keyed requests may ask about them. The library of the ledger knows no roles.
Roles('customer', 'operator')(IdempotencyKeysController);

@Global()
@Module({})
export class ServiceModule implements OnApplicationBootstrap, OnApplicationShutdown {
  /** What goes on in the background. */
  private readonly background: readonly { start(): void; stop(): Promise<void> }[];

  constructor(
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(Database) private readonly database: Database,
    @Inject(Broker) private readonly broker: Broker,
    @Inject(JetStreamServer) server: JetStreamServer,
    @Inject(Readiness) readiness: Readiness,
    @Inject(ConsumerLag) lag: ConsumerLag,
    @Inject(BulkWorker) letterBatches: BulkWorker,
    @Optional() @Inject(OutboxRelay) private readonly relay?: OutboxRelay,
  ) {
    followHealth(readiness, server, logger);
    measurePool(database);
    const outbox = relay ? [new OutboxLag(database, logger)] : [];
    this.background = [lag, new TableSizes(database, logger), letterBatches, ...outbox];
  }

  static register(options: ServiceModuleOptions): DynamicModule {
    const { logger } = options;
    countedElsewhere('postgres_statements_total', 'Statements sent to PostgreSQL', () => traffic.statements);
    countedElsewhere('postgres_round_trips_total', 'Round trips to PostgreSQL', () => traffic.roundTrips);
    const providers = [
      { provide: LOGGER, useValue: logger },
      { provide: Database, useFactory: () => openDatabase({ ...options, entities: entitiesOf(options) }) },
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
      {
        provide: ConsumerLag,
        useFactory: (broker: Broker, server: JetStreamServer) =>
          new ConsumerLag(broker, () => server.mailboxes, logger),
        inject: [Broker, JetStreamServer],
      },
      ...(options.tells ? [relayOf(options)] : []),
    ];
    const health = createHealthModule({
      inject: [Database, Broker, JetStreamServer, ConsumerLag],
      useFactory: healthChecks,
    });
    const idempotency = IdempotencyModule.registerAsync({
      inject: [Database],
      useFactory: (database: Database) => ({ database, logger }),
    });
    return {
      module: ServiceModule,
      controllers: [
        StoredAnswersController,
        ErasureController,
        DeadLettersController,
        DeadLetterBatchesController,
        LedgerEntriesController,
      ],
      imports: [idempotency, MetricsModule, health, TypeOrmModule.forFeature([DeadLetterEntity])],
      providers: [
        ...providers,
        { provide: SERVICE, useValue: options.service },
        { provide: OWN_DATA, useValue: options.ownData ?? noOwnData },
        DeadLettersService,
        DeadLetterBatchesService,
        {
          provide: BulkWorker,
          useFactory: (database: Database, publisher: Publisher) =>
            new BulkWorker({ database, kind: actsOnLetters({ database, publisher, logger }), logger }),
          inject: [Database, Publisher],
        },
        ErasureService,
      ],
      exports: providers,
    };
  }

  onApplicationBootstrap(): void {
    this.relay?.start();
    for (const one of this.background) one.start();
  }

  /** Runs after HTTP and the consumers have drained. The other side may not answer any more. */
  async onApplicationShutdown(): Promise<void> {
    await endedWithin(Promise.all(this.background.map((one) => one.stop())), STOP_WITHIN_MS);
    if (this.relay) await endedWithin(this.relay.stop(), STOP_WITHIN_MS);
    await this.closed('broker', this.broker.close());
    await this.closed('database', this.database.close());
  }

  private async closed(what: string, closing: Promise<void>): Promise<void> {
    if (!(await endedWithin(closing, CLOSE_WITHIN_MS))) this.logger.warn({ what }, 'service.close.late');
  }
}

const relayOf = ({ service, logger }: ServiceModuleOptions) => ({
  provide: OutboxRelay,
  useFactory: (database: Database, broker: Broker) => new OutboxRelay({ service, database, broker, logger }),
  inject: [Database, Broker],
});

const entitiesOf = ({ entities = [] }: Pick<ServiceModuleOptions, 'entities'>): Function[] => [
  DeadLetterEntity,
  ...entities,
];

async function openBroker({ service, natsUrl, credentials, tls, logger }: ServiceModuleOptions): Promise<Broker> {
  const broker = new Broker({ url: natsUrl, service, credentials, tls, logger });
  await broker.connect();
  return broker;
}
