/** A process that carries out batches, until it is killed. */
import { BulkWorker } from '@shop/bulk';
import { actsOnSagas } from '../src/saga-batches';
import { openReplica } from './replica';

async function main(): Promise<void> {
  const { database, engine, logger } = await openReplica(process.env['DATABASE_URL']!);
  new BulkWorker({ database, kind: actsOnSagas({ engine }), logger, leaseMs: 500 }).start();
  console.log('it works on batches');
  // A worker keeps no process alive.
  setInterval(() => undefined, 60_000);
}

void main();
