/** One way to say what a service is: from its own parts it makes the app that listens, and the process that runs it. */
import { type DynamicModule, Module, type ModuleMetadata } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createHttpApp, parseApiKeys } from '@shop/http';
import { JetStreamServer } from '@shop/messaging';
import type { Logger } from '@shop/observability';
import type { ServiceEnvironment } from './environment';
import { ownSetting, type PortOf, runService } from './run-service';
import { ServiceModule, type ServiceModuleOptions } from './service.module';

/** Its port and its database's address stand under its name: `ORDER_PORT` and `ORDER_DATABASE_URL` for `order`. */
export type EnvironmentOf<Name extends string> = ServiceEnvironment &
  PortOf<Name> &
  Record<`${Uppercase<Name>}_DATABASE_URL`, string>;

/** What is a service's own; the rest is the same in all of them. */
export interface ServiceDefinition<Name extends string>
  extends
    Pick<ServiceModuleOptions, 'migrations' | 'entities'>,
    Pick<ModuleMetadata, 'imports' | 'controllers' | 'providers'> {
  name: Name;
  /** Title and description head the page of its API. */
  title: string;
  description: string;
  /** Its class; what a provider needs of it, it gets by injecting it under this class. */
  environment: new () => EnvironmentOf<Name>;
}

export interface Service<Name extends string> {
  definition: ServiceDefinition<Name>;
  /** The app, not listening yet; its messages come in when its microservices are started. */
  build: (environment: EnvironmentOf<Name>, logger: Logger) => Promise<NestFastifyApplication>;
  /** The whole life of a process: reads the environment, builds, listens, and stops on a signal. */
  run: () => Promise<void>;
}

export function defineService<Name extends string>(definition: ServiceDefinition<Name>): Service<Name> {
  const { name, title, description } = definition;
  const build = async (environment: EnvironmentOf<Name>, logger: Logger): Promise<NestFastifyApplication> => {
    const apiKeys = parseApiKeys(environment.API_KEYS);
    const app = await createHttpApp(moduleOf(definition, environment, logger), { title, description, logger, apiKeys });
    app.connectMicroservice({ strategy: app.get(JetStreamServer) });
    return app;
  };
  return { definition, build, run: () => runService({ name, environment: definition.environment, build }) };
}

@Module({})
class ServiceApp {}

@Module({})
class EnvironmentModule {}

function moduleOf<Name extends string>(
  { name, environment: type, migrations, entities, imports = [], controllers, providers }: ServiceDefinition<Name>,
  environment: EnvironmentOf<Name>,
  logger: Logger,
): DynamicModule {
  const { NATS_URL: natsUrl } = environment;
  const databaseUrl = ownSetting(environment, name, 'DATABASE_URL').value as string;
  const service = ServiceModule.register({ service: name, logger, databaseUrl, natsUrl, migrations, entities });
  const settings: DynamicModule = {
    module: EnvironmentModule,
    global: true,
    providers: [{ provide: type, useValue: environment }],
    exports: [type],
  };
  return { module: ServiceApp, imports: [service, settings, ...imports], controllers, providers };
}
