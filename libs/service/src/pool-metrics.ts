/** The connections of the service to its database: how many it has, and how many wait for one. */
import { gaugeReadLate } from '@shop/observability';
import type { Database } from '@shop/postgres';

export function measurePool(database: Pick<Database, 'poolState'>): void {
  gaugeReadLate('postgres_pool_connections', 'Connections to PostgreSQL by what they do', ['state'], (set) => {
    const { used, idle } = database.poolState;
    set({ state: 'used' }, used);
    set({ state: 'idle' }, idle);
  });
  gaugeReadLate('postgres_pool_max_connections', 'The most connections of the pool', [], (set) =>
    set({}, database.poolState.most),
  );
  gaugeReadLate('postgres_pool_waiting', 'Work that waits for a connection of the pool', [], (set) =>
    set({}, database.poolState.waiting),
  );
}
