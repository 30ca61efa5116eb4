/** What the engine's tests share: databases with the saga's tables, and sagas in them. */
import { randomUUID } from 'node:crypto';
import { newTraceparent } from '@shop/observability';
import { createDatabase, migrate } from '@shop/postgres';
import { useStack } from '@shop/testing';
import type { SagaDefinition } from '../src/definition';
import { sagaMigrations } from '../src/migrations';
import type { Journey } from './journey';
import type { Replica } from './replica';

export const useSagaStack = () =>
  useStack({
    templateKey: 'saga',
    migrate: async (url) => {
      const database = createDatabase({ url, applicationName: 'test', migrations: sagaMigrations });
      await migrate(database);
      await database.close();
    },
  });

/** Begins a saga on this replica; answers its id. */
export async function beginOn(
  { database, engine }: Replica,
  definition: SagaDefinition<Journey>,
  data: Journey = { traveller: 'Ada' },
): Promise<string> {
  const saga = { id: randomUUID(), definition, data, traceparent: newTraceparent() };
  engine.committed(await database.transaction(async (tx) => engine.begin(tx, [saga])));
  return saga.id;
}

/** As if the deadlines of these sagas had passed. */
export const expireOn = ({ database }: Replica, ...ids: string[]) =>
  database.query(
    {
      name: 'test.expire',
      text: `update saga set deadline_at = now() - interval '1 second' where id = any($1::uuid[])`,
    },
    [ids],
  );
