/** A process that carries out batches of acts on dead letters, until it is killed. */
import { BulkWorker } from '@shop/bulk';
import { Broker, Publisher } from '@shop/messaging';
import { createLogger } from '@shop/observability';
import { createDatabase } from '@shop/postgres';
import { actsOnLetters } from '../src/dead-letter-batches/dead-letter-batches';

async function main({ DATABASE_URL, NATS_URL, DIES_OWING }: NodeJS.ProcessEnv): Promise<void> {
  const logger = createLogger({ service: 'test', level: 'silent', format: 'json' });
  const database = createDatabase({ url: DATABASE_URL!, applicationName: 'test' });
  await database.connect();
  const broker = new Broker({ url: NATS_URL!, service: 'test', logger });
  await broker.connect();
  const kind = actsOnLetters({ database, publisher: new Publisher(broker, logger), logger });
  const die = async () => void process.kill(process.pid, 'SIGKILL');
  const dying = { ...kind, handOver: { replay: die } };
  new BulkWorker({ database, kind: DIES_OWING ? dying : kind, logger, leaseMs: 500 }).start();
  console.log('it works on batches');
  // A worker keeps no process alive.
  setInterval(() => undefined, 60_000);
}

void main(process.env);
