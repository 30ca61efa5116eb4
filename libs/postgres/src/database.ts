/** The database of one service: a TypeORM data source, and named statements on its pipelined connections. */
import type { Pool, PoolClient } from 'pg';
import { types as pgTypes } from 'pg';
import { DataSource, type DataSourceOptions, type MixedList } from 'typeorm';
import { isSerializationFailure } from './pg-errors';
import type { Statement } from './statement';
import { runStatement, runTransaction, type Tx } from './transaction';

export interface DatabaseOptions {
  url: string;
  /** Shown in pg_stat_activity. */
  applicationName: string;
  poolSize?: number;
  migrations?: MixedList<Function>;
  entities?: MixedList<Function>;
}

/** Enough for the lanes of one service and its reads. Each connection costs PostgreSQL memory and a process. */
const DEFAULT_POOL_SIZE = 8;
/** A transaction that lost a race this often has another problem than a race. */
const MAX_ATTEMPTS = 5;
/** The longest time that a statement waits for a row that another replica holds. */
const LOCK_TIMEOUT_MS = 5_000;
const STATEMENT_TIMEOUT_MS = 30_000;
/** A replica that is paused inside a transaction must not hold its locks for ever. */
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 15_000;
const CONNECT_TIMEOUT_MS = 5_000;
const INT8_OID = 20;
/**
 * Every statement here looks up rows by key. Its plan is made once for each connection, perhaps while the table is
 * still empty and a scan looks cheap. These settings force the plan for a large table: by index, row by row, and
 * without compilation.
 */
const PLANNER = [
  'plan_cache_mode=force_generic_plan',
  'enable_seqscan=off',
  'enable_hashjoin=off',
  'enable_mergejoin=off',
  'jit=off',
];

/** Money and counts stay far below 2^53, so bigint columns are read as numbers. */
const numbersForBigints = {
  getTypeParser: (oid: number, format?: 'text' | 'binary'): unknown =>
    oid === INT8_OID ? Number : pgTypes.getTypeParser(oid, format),
};

/** Builds the data source; nothing is connected until `connect`. */
export function createDatabase(options: DatabaseOptions): Database {
  const settings: DataSourceOptions = {
    type: 'postgres',
    url: options.url,
    applicationName: options.applicationName,
    poolSize: options.poolSize ?? DEFAULT_POOL_SIZE,
    entities: options.entities ?? [],
    migrations: options.migrations ?? [],
    migrationsTableName: 'migration',
    connectTimeoutMS: CONNECT_TIMEOUT_MS,
    // When an idle connection breaks, the pool makes a new one for the next query. So there is nothing to do.
    poolErrorHandler: () => undefined,
    extra: {
      types: numbersForBigints,
      keepAlive: true,
      options: PLANNER.map((setting) => `-c ${setting}`).join(' '),
      lock_timeout: LOCK_TIMEOUT_MS,
      statement_timeout: STATEMENT_TIMEOUT_MS,
      idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
    },
  };
  return new Database(new DataSource(settings));
}

export class Database {
  constructor(readonly dataSource: DataSource) {}

  async connect(): Promise<void> {
    if (!this.dataSource.isInitialized) await this.dataSource.initialize();
  }

  async close(): Promise<void> {
    if (this.dataSource.isInitialized) await this.dataSource.destroy();
  }

  /** Runs one statement in its own transaction. */
  async query<Row>(statement: Statement, values: readonly unknown[] = []): Promise<Row[]> {
    return (await this.withClient((client) => runStatement(client, statement, values))) as Row[];
  }

  /**
   * Runs `work` in one transaction and commits. Serialization failures, deadlocks and errors that `retryOn` names start
   * `work` again from the beginning. So `work` must not change anything outside of the transaction.
   */
  async transaction<T>(work: (tx: Tx) => Promise<T>, retryOn?: (error: unknown) => boolean): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.withClient((client) => runTransaction(client, work));
      } catch (error) {
        const again = isSerializationFailure(error) || retryOn?.(error);
        if (!again || attempt >= MAX_ATTEMPTS) throw error;
      }
    }
  }

  /** TypeORM cannot name statements, so they go directly to its pool. */
  private async withClient<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    const client = await this.pool.connect();
    // When a connection breaks, its statement fails. The connection also emits an error, which must not end the
    // process.
    client.on('error', ignore);
    try {
      return await work(client);
    } finally {
      client.off('error', ignore);
      client.release();
    }
  }

  private get pool(): Pool {
    const { master } = this.dataSource.driver as unknown as { master?: Pool };
    if (!master) throw new Error('the database is not connected');
    return master;
  }
}

const ignore = (): void => undefined;
