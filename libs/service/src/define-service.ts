/** One way to define a service. From its own parts it makes the app that listens, and the process that runs the app. */
import { type DynamicModule, Module, type ModuleMetadata } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createHttpApp, parseApiKeys } from '@shop/http';
import { JetStreamServer } from '@shop/messaging';
import type { Logger } from '@shop/observability';
import { ApiKeyEntity } from './api-keys/api-key.entity';
import { ApiKeysModule } from './api-keys/api-keys.module';
import { StoredKeys } from './api-keys/stored-keys';
import { doorOf, unfitDoor } from './door';
import type { ServiceEnvironment } from './environment';
import { databaseSettings, migrateOnly } from './open-database';
import { showsDocs, unfitForProduction, unfitForTheBroker, unfitForTheDatabase, unfitForTokens } from './production';
import { type PortOf, runService } from './run-service';
import { tokensOf } from './tokens';
import { ServiceModule, type ServiceModuleOptions } from './service.module';

/**
 * The port and the database address of a service are named after it: `ORDER_PORT` and `ORDER_DATABASE_URL` for `order`.
 */
export type EnvironmentOf<Name extends string> = ServiceEnvironment &
  PortOf<Name> &
  Record<`${Uppercase<Name>}_DATABASE_URL`, string> &
  Partial<Record<`${Uppercase<Name>}_${'' | 'MIGRATION_'}DATABASE_PASSWORD_FILE`, string>> &
  Partial<Record<`${Uppercase<Name>}_MIGRATION_DATABASE_URL`, string>>;

/** The parts that differ between services. All else is the same in all of them. */
export interface ServiceDefinition<Name extends string>
  extends
    Pick<ServiceModuleOptions, 'migrations' | 'entities' | 'ownData' | 'tells'>,
    Pick<ModuleMetadata, 'imports' | 'controllers' | 'providers'> {
  name: Name;
  /** The title and the description are at the top of the page of its API. */
  title: string;
  description: string;
  /** The class of its variables. A provider that needs some of them injects this class. */
  environment: new () => EnvironmentOf<Name>;
  /** Why the service must not start in production with these settings of its own, one reason each. */
  unfit?(environment: EnvironmentOf<Name>): string[];
}

export interface Service<Name extends string> {
  definition: ServiceDefinition<Name>;
  /** Builds the app, which does not listen yet. It takes messages when its microservices are started. */
  build: (environment: EnvironmentOf<Name>, logger: Logger) => Promise<NestFastifyApplication>;
  /** Runs the process: reads the environment, builds, listens, and stops on a signal. */
  run: () => Promise<void>;
}

export function defineService<Name extends string>(definition: ServiceDefinition<Name>): Service<Name> {
  const { name, title, description } = definition;
  const build = async (environment: EnvironmentOf<Name>, logger: Logger): Promise<NestFastifyApplication> => {
    const apiKeys = parseApiKeys(environment.API_KEYS);
    const docs = showsDocs(environment);
    const stored = new StoredKeys(logger);
    const module = moduleOf(definition, environment, logger, ApiKeysModule.register(stored, apiKeys));
    const callers = [...tokensOf(environment, logger), stored];
    const door = doorOf(environment);
    const app = await createHttpApp(module, { title, description, logger, apiKeys, callers, docs, door });
    app.connectMicroservice({ strategy: app.get(JetStreamServer) });
    return app;
  };
  const unfit = (environment: EnvironmentOf<Name>): string[] => {
    const databases = unfitForTheDatabase(name, databaseSettings(environment, name));
    return [
      ...unfitForProduction(environment.API_KEYS),
      ...databases,
      ...unfitForTheBroker(environment),
      ...unfitForTokens(environment),
      ...unfitDoor(environment),
      ...(definition.unfit?.(environment) ?? []),
    ];
  };
  const insteadOf = (environment: EnvironmentOf<Name>, logger: Logger) => {
    const { migrations } = definition;
    const database = databaseSettings(environment, name);
    return database.migrate === 'only' ? migrateOnly({ service: name, logger, database, migrations }) : undefined;
  };
  const run = () => runService({ name, environment: definition.environment, build, unfit, insteadOf });
  return { definition, build, run };
}

@Module({})
class ServiceApp {}

@Module({})
class EnvironmentModule {}

function moduleOf<Name extends string>(
  definition: ServiceDefinition<Name>,
  environment: EnvironmentOf<Name>,
  logger: Logger,
  apiKeys: DynamicModule,
): DynamicModule {
  const {
    name,
    environment: type,
    migrations,
    entities = [],
    ownData,
    tells,
    imports = [],
    controllers,
    providers,
  } = definition;
  const service = ServiceModule.register({
    service: name,
    logger,
    database: databaseSettings(environment, name),
    ...brokerSettings(environment),
    migrations,
    entities: [ApiKeyEntity, ...entities],
    ownData,
    tells,
  });
  const settings: DynamicModule = {
    module: EnvironmentModule,
    global: true,
    providers: [{ provide: type, useValue: environment }],
    exports: [type],
  };
  return { module: ServiceApp, imports: [service, apiKeys, settings, ...imports], controllers, providers };
}

const brokerSettings = (given: ServiceEnvironment) => ({
  natsUrl: given.NATS_URL,
  credentials: {
    user: given.NATS_USER,
    password: given.NATS_PASSWORD,
    passwordFile: given.NATS_PASSWORD_FILE,
    credentialsFile: given.NATS_CREDENTIALS_FILE,
  },
  tls: { caFile: given.NATS_CA_FILE, certFile: given.NATS_CERT_FILE, keyFile: given.NATS_KEY_FILE },
});
