/** The example as a process that tests kill. */
import { createLogger } from '@shop/observability';
import { createDatabase } from '@shop/postgres';
// Without the modules of Nest, which take long to be loaded.
import { BackfillWorker } from '../src/backfill-worker';
import { copying, marking } from './example-library';

async function main({ DATABASE_URL, LEASE_MS, STEP_SECONDS }: Record<string, string | undefined>): Promise<void> {
  const database = createDatabase({ url: DATABASE_URL!, applicationName: 'library' });
  await database.connect();
  const logger = createLogger({ service: 'library', level: 'info', format: 'json' });
  const backfills = [marking(database, { stepSeconds: Number(STEP_SECONDS) }), copying(database)];
  new BackfillWorker({ database, backfills, logger, leaseMs: Number(LEASE_MS) }).start();
  // The looks of the worker keep no process alive.
  setInterval(() => undefined, 60_000);
  console.log('the library is open');
}

void main(process.env);
