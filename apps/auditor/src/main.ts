/**
 * The auditor: places a real order every minute, from outside. With `--once` it places one and ends, with 1 if that has
 * failed, as a job of Kubernetes wants it.
 */
import 'reflect-metadata';
import { createHttpApp } from '@shop/http';
import type { Logger } from '@shop/observability';
import { operatorsError, runService, secretIn } from '@shop/service';
import { createAuditorModule } from './auditor.module';
import { Client } from './client';
import { AuditorEnvironment } from './environment';
import { SyntheticJob, type SyntheticJobOptions } from './synthetic-job';

/** So begin the keys of docker-compose. */
const OF_DEVELOPMENT = 'dev-';

void runService({
  name: 'auditor',
  environment: AuditorEnvironment,
  unfit: ({ AUDITOR_API_KEY: key }) =>
    key?.startsWith(OF_DEVELOPMENT) ? ['AUDITOR_API_KEY is one of development'] : [],
  build: (environment, logger) =>
    createHttpApp(createAuditorModule(optionsOf(environment, logger)), {
      title: 'Auditor',
      description: 'Places synthetic orders. It has no API but its health.',
      logger,
      docs: false,
    }),
  insteadOf: (environment, logger) =>
    process.argv.includes('--once') ? once(optionsOf(environment, logger)) : undefined,
});

async function once(options: SyntheticJobOptions): Promise<void> {
  const { ok } = await new SyntheticJob(options).run();
  if (!ok) process.exit(1);
}

function optionsOf(environment: AuditorEnvironment, logger: Logger): SyntheticJobOptions {
  const { ORDER_URL: order, INVENTORY_URL: inventory, PAYMENT_URL: payment } = environment;
  return {
    client: new Client({ order, inventory, payment }, keyOf(environment)),
    source: environment.AUDITOR_SOURCE,
    timeoutMs: environment.AUDITOR_TIMEOUT_SECONDS * 1_000,
    intervalMs: environment.AUDITOR_INTERVAL_SECONDS * 1_000,
    logger,
  };
}

function keyOf({ AUDITOR_API_KEY: key, AUDITOR_API_KEY_FILE: file }: AuditorEnvironment): string {
  const variable = 'AUDITOR_API_KEY_FILE';
  const found = file === undefined ? key : secretIn(file, { variable, code: 'AUDITOR_KEY' });
  if (!found) throw operatorsError('AUDITOR_KEY', `the file of ${variable} is empty`);
  return found;
}
