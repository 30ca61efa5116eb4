/** A whole service in the process of a test, which asks it without a socket. */
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createLogger } from '@shop/observability';
import { readEnvironment, type Service } from '../src';

export interface ServiceUrls {
  databaseUrl: string;
  natsUrl: string;
}

/** Ready for `inject`; `env` has `API_KEYS`, and what the service needs besides. */
export async function openService<Name extends string>(
  service: Service<Name>,
  { databaseUrl, natsUrl }: ServiceUrls,
  env: Record<string, string>,
  { takesMessages = true } = {},
): Promise<NestFastifyApplication> {
  const { name, environment } = service.definition;
  const variables = { [`${name.toUpperCase()}_DATABASE_URL`]: databaseUrl, NATS_URL: natsUrl, ...env };
  const logger = createLogger({ service: name, level: 'silent', format: 'json' });
  const app = await service.build(readEnvironment(environment, variables), logger);
  if (takesMessages) await app.startAllMicroservices();
  await app.init();
  await app.getHttpAdapter().getInstance().ready();
  return app;
}
