/** One way to define a service. From its own parts it makes the app that listens, and the process that runs the app. */
import { type DynamicModule, Module, type ModuleMetadata } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createHttpApp, parseApiKeys } from '@shop/http';
import { JetStreamServer } from '@shop/messaging';
import type { Logger } from '@shop/observability';
import { ApiKeyEntity } from './api-keys/api-key.entity';
import { ApiKeysModule } from './api-keys/api-keys.module';
import { StoredKeys } from './api-keys/stored-keys';
import type { ServiceEnvironment } from './environment';
import { tokensOf } from './tokens';
import { showsDocs, unfitForProduction, unfitForTheBroker, unfitForTokens } from './production';
import { ownSetting, type PortOf, runService } from './run-service';
import { ServiceModule, type ServiceModuleOptions } from './service.module';

/**
 * The port and the database address of a service are named after it: `ORDER_PORT` and `ORDER_DATABASE_URL` for `order`.
 */
export type EnvironmentOf<Name extends string> = ServiceEnvironment &
  PortOf<Name> &
  Record<`${Uppercase<Name>}_DATABASE_URL`, string>;

/** The parts that differ between services. All else is the same in all of them. */
export interface ServiceDefinition<Name extends string>
  extends
    Pick<ServiceModuleOptions, 'migrations' | 'entities'>,
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
    const app = await createHttpApp(module, { title, description, logger, apiKeys, callers, docs });
    app.connectMicroservice({ strategy: app.get(JetStreamServer) });
    return app;
  };
  const unfit = (environment: EnvironmentOf<Name>): string[] => {
    const { variable, value } = ownSetting(environment, name, 'DATABASE_URL');
    const common = unfitForProduction(environment.API_KEYS, variable, value as string);
    return [
      ...common,
      ...unfitForTheBroker(environment),
      ...unfitForTokens(environment),
      ...(definition.unfit?.(environment) ?? []),
    ];
  };
  return { definition, build, run: () => runService({ name, environment: definition.environment, build, unfit }) };
}

@Module({})
class ServiceApp {}

@Module({})
class EnvironmentModule {}

function moduleOf<Name extends string>(
  { name, environment: type, migrations, entities = [], imports = [], controllers, providers }: ServiceDefinition<Name>,
  environment: EnvironmentOf<Name>,
  logger: Logger,
  apiKeys: DynamicModule,
): DynamicModule {
  const databaseUrl = ownSetting(environment, name, 'DATABASE_URL').value as string;
  const service = ServiceModule.register({
    service: name,
    logger,
    databaseUrl,
    ...brokerSettings(environment),
    migrations,
    entities: [ApiKeyEntity, ...entities],
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
