/** An engine with its timers on a database, as one replica of a service. It keeps what it sends and logs. */
import { randomUUID } from 'node:crypto';
import type { Message, Publisher } from '@shop/messaging';
import type { Logger } from '@shop/observability';
import { createDatabase, type Database } from '@shop/postgres';
import pino from 'pino';
import { Deadlines } from '../src/deadlines';
import { SagaEngine, type SagaEngineOptions } from '../src/saga.engine';
import { type Journey, journeyV1 } from './journey';

export interface Replica {
  /** The name under which it takes direct replies. */
  name: string;
  database: Database;
  engine: SagaEngine;
  deadlines: Deadlines;
  logger: Logger;
  /** What was sent, in order. Nothing is sent while `away`. */
  sent: { mailbox: string; message: Message }[];
  broker: { away: boolean };
  log: ({ event: string; level: number } & Record<string, unknown>)[];
}

export async function openReplica(databaseUrl: string, options: Partial<SagaEngineOptions> = {}): Promise<Replica> {
  const database = createDatabase({ url: databaseUrl, applicationName: 'test' });
  await database.connect();
  const sent: Replica['sent'] = [];
  const broker = { away: false };
  const name = randomUUID();
  const publisher = {
    replica: name,
    send: (mailbox: string, message: Message) => {
      if (!broker.away) sent.push({ mailbox, message });
    },
  } as unknown as Publisher;
  const log: Replica['log'] = [];
  const logger = pino(
    { level: 'debug', messageKey: 'event' },
    { write: (line: string) => void log.push(JSON.parse(line) as Replica['log'][number]) },
  );
  const engine = new SagaEngine({
    service: 'journeys',
    database,
    publisher,
    logger,
    definitions: [journeyV1],
    onChange: () => undefined,
    logFields: ({ data }) => ({ traveller: (data as Journey).traveller }),
    ...options,
  });
  const deadlines = new Deadlines({ database, engine, logger, intervalMs: 10 });
  return { name, database, engine, deadlines, logger, sent, broker, log };
}
