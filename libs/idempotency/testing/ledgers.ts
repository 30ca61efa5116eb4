/** Both adapters of the ledger, for suites of tests that each of them has to pass. */
import { createDatabase, type Database } from '@shop/postgres';
import { applyMigrations } from '@shop/postgres/testing';
import { useStack } from '@shop/testing';
import type { Kind, Ledger, Store } from '../src/ledger/ledger';
import { MemoryLedger } from '../src/ledger/memory-ledger';
import { MemoryStore } from '../src/ledger/memory-store';
import { ledgerMigrations } from '../src/ledger/migrations';
import { PostgresLedger } from '../src/ledger/postgres-ledger';
import { idOf, type Key } from '../src/settle';

interface Adapter {
  ledger: Ledger<Kind>;
  store: () => Store<Kind>;
  /** Changes the row as if it had been written this many seconds earlier. */
  age: (key: Key, seconds: number) => Promise<unknown>;
}

const aged = {
  name: 'test.age',
  text: `update ledger set created_at = created_at - $3 * interval '1 second',
           leased_until = leased_until - $3 * interval '1 second',
           expires_at = expires_at - $3 * interval '1 second' where scope = $1 and key = $2`,
};

interface MemoryRow {
  createdAt: number;
  expiresAt?: number;
  lease?: { until: number };
}

/** Call it at the top of a test file: it opens a database before the tests and closes it behind them. */
export function useLedgers(): [name: string, adapter: Adapter][] {
  const stack = useStack({ templateKey: 'ledger', migrate: (url) => applyMigrations(url, ledgerMigrations) });
  let database: Database;
  beforeAll(async () => {
    database = createDatabase({ url: stack.databaseUrl, applicationName: 'test' });
    await database.connect();
  });
  afterAll(() => database.close());
  const inPostgres: Adapter = {
    ledger: new PostgresLedger(),
    store: () => database,
    age: ({ scope, key }, seconds) => database.query(aged, [scope, key, seconds]),
  };
  return [
    ['PostgreSQL', inPostgres],
    ['memory', inMemory()],
  ];
}

function inMemory(): Adapter {
  const memory = new MemoryStore();
  return {
    ledger: new MemoryLedger(),
    store: () => memory,
    age: async (key, seconds) => {
      const { lease, createdAt, expiresAt, ...row } = memory.get<MemoryRow>('ledger', idOf(key))!;
      memory.put('ledger', idOf(key), {
        ...row,
        createdAt: createdAt - seconds * 1_000,
        ...(lease && { lease: { ...lease, until: lease.until - seconds * 1_000 } }),
        ...(expiresAt && { expiresAt: expiresAt - seconds * 1_000 }),
      });
    },
  };
}
