/** What the tests of the engine share: databases with the tables of sagas, and sagas in them. */
import { randomUUID } from 'node:crypto';
import { bulkMigrations } from '@shop/bulk';
import { newTraceparent } from '@shop/observability';
import { applyMigrations } from '@shop/postgres/testing';
import { useStack } from '@shop/testing';
import type { NotMoved } from '../src/decide-batch';
import type { SagaDefinition } from '../src/definition';
import { sagaMigrations } from '../src/migrations';
import type { OperatorEvent } from '../src/saga-state';
import type { Journey } from './journey';
import type { Replica } from './replica';

export const useSagaStack = () =>
  useStack({ templateKey: 'saga', migrate: (url) => applyMigrations(url, [...sagaMigrations, ...bulkMigrations]) });

/** Begins a saga on this replica, and returns its id. */
export async function beginOn(
  { database, engine }: Replica,
  definition: SagaDefinition<Journey>,
  data: Journey = { traveller: 'Ada' },
): Promise<string> {
  const saga = { id: randomUUID(), definition, data, traceparent: newTraceparent() };
  await database.transaction(async (tx) => engine.begin(tx, [saga]));
  return saga.id;
}

/** Commits an act of an operator. If nothing came of it, returns the reason. `meanwhile` happens before the commit. */
export function actOn(
  { database, engine }: Replica,
  id: string,
  event: OperatorEvent,
  meanwhile?: () => Promise<void>,
): Promise<NotMoved | undefined> {
  return database.transaction(async (tx) => {
    const notMoved = await engine.decideIn(tx, id, event);
    await meanwhile?.();
    return notMoved;
  });
}

/** The commands of the saga that these replicas have sent, in order, in the form `flight/do`. */
export const sentFor = (id: string, ...from: Replica[]): string[] =>
  from.flatMap(({ sent }) =>
    sent.flatMap(({ message }) => (message.subject === id ? [message.id.slice(id.length + 1)] : [])),
  );

/** Changes these sagas as if their deadlines had passed. */
export const expireOn = ({ database }: Replica, ...ids: string[]) =>
  database.query(
    {
      name: 'test.expire',
      text: `update saga set deadline_at = now() - interval '1 second' where id = any($1::uuid[])`,
    },
    [ids],
  );
