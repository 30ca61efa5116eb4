/** A whole service in the process of a test. The test sends it requests without a socket. */
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createLogger } from '@shop/observability';
import { createDatabaseRoles } from '@shop/testing';
import { readEnvironment, type Service } from '../src';

export interface ServiceUrls {
  databaseUrl: string;
  natsUrl: string;
}

/**
 * The service is ready for `inject`. It works with the rights of production: `databaseUrl` is the administrator's, and the
 * service gets roles of its own there. `env` has `API_KEYS` and all else that the service needs.
 */
export async function openService<Name extends string>(
  service: Service<Name>,
  { databaseUrl, natsUrl }: ServiceUrls,
  env: Record<string, string>,
  { takesMessages = true } = {},
): Promise<NestFastifyApplication> {
  const { name, environment } = service.definition;
  const { everyday, migrator } = await createDatabaseRoles(databaseUrl);
  const prefix = name.toUpperCase();
  const variables = {
    [`${prefix}_DATABASE_URL`]: everyday,
    [`${prefix}_MIGRATION_DATABASE_URL`]: migrator,
    NATS_URL: natsUrl,
    ...env,
  };
  const logger = createLogger({ service: name, level: 'silent', format: 'json' });
  const app = await service.build(readEnvironment(environment, variables), logger);
  try {
    if (takesMessages) await app.startAllMicroservices();
    await app.init();
    await app.getHttpAdapter().getInstance().ready();
    return app;
  } catch (error) {
    // What has begun would go on, and make the next test file fail.
    await app.close();
    throw error;
  }
}
