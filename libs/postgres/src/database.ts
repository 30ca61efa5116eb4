/** The database of one service: a TypeORM data source, and named statements on its pipelined connections. */
import type { ClientBase, Pool, PoolClient } from 'pg';
import { types as pgTypes } from 'pg';
import { DataSource, type DataSourceOptions, type MixedList } from 'typeorm';
import { connectTimeoutMsOf, type DatabaseAddress } from './address';
import { Connection, type ConnectionOptions, Connections } from './connection';
import { MIGRATIONS_TABLE } from './grants';
import { DatabaseAwayError, isSerializationFailure, isStaleSession } from './pg-errors';
import { SERVICE_SETTINGS, type Settings, setUpSession } from './session';
import type { Statement } from './statement';
import { inStatement, inTransaction } from './database-spans';
import { runStatement, runTransaction, type Tx } from './transaction';

export interface DatabaseOptions extends DatabaseAddress {
  /** Shown in pg_stat_activity. */
  applicationName: string;
  poolSize?: number;
  migrations?: MixedList<Function>;
  entities?: MixedList<Function>;
  /** The longest wait for an answer of the server. Then the connection is given up. */
  answerWithinMs?: number;
  /** Instead of the settings of session.ts, for tests. */
  session?: Settings;
}

/**
 * Enough for the lanes of one service, its background tasks, and the requests that are worked on outside of lanes. Each
 * connection costs PostgreSQL memory and a process.
 */
const DEFAULT_POOL_SIZE = 12;
/** A transaction that lost a race this often has another problem than a race. */
const MAX_ATTEMPTS = 5;
/**
 * The longest wait for one answer. A request waits once for a batch before its own, and then for its own; clients
 * should know within ten seconds. Only a connection that has gone silent reaches this limit: the server ends slow
 * statements before.
 */
const ANSWER_WITHIN_MS = 5_000;
/** A firewall forgets a connection that is quiet for long, and a dead server is noticed. */
const KEEP_ALIVE_AFTER_MS = 10_000;
/** After a failover or a change of the servers behind an address, no connection stays with the old one for longer. */
const MAX_AGE_SECONDS = 30 * 60;
const INT8_OID = 20;
/** Money and counts stay far below 2^53, so bigint columns are read as numbers. */
const numbersForBigints = {
  getTypeParser: (oid: number, format?: 'text' | 'binary'): unknown =>
    oid === INT8_OID ? Number : pgTypes.getTypeParser(oid, format),
};

const addressOf = ({ url, passwordFile, tls }: DatabaseAddress): DatabaseAddress => ({ url, passwordFile, tls });

/** Builds the data source; nothing is connected until `connect`. */
export function createDatabase(options: DatabaseOptions): Database {
  const connections = new Connections();
  const settings: DataSourceOptions = {
    type: 'postgres',
    applicationName: options.applicationName,
    poolSize: options.poolSize ?? DEFAULT_POOL_SIZE,
    entities: options.entities ?? [],
    migrations: options.migrations ?? [],
    migrationsTableName: MIGRATIONS_TABLE,
    connectTimeoutMS: connectTimeoutMsOf(options),
    // When an idle connection breaks, the pool makes a new one for the next query. So there is nothing to do.
    poolErrorHandler: () => undefined,
    extra: {
      types: numbersForBigints,
      Client: Connection,
      address: addressOf(options),
      connections,
      answerWithinMs: options.answerWithinMs ?? ANSWER_WITHIN_MS,
      maxLifetimeSeconds: MAX_AGE_SECONDS,
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_AFTER_MS,
      onConnect: (client: ClientBase) => setUpSession(client, { ...SERVICE_SETTINGS, ...options.session }),
    },
  };
  return new Database(new DataSource(settings));
}

export class Database {
  /** Its connections, for those who want to know of their trouble. */
  readonly connections: Connections;

  readonly address: DatabaseAddress;

  /** @param dataSource with the options of `createDatabase` */
  constructor(readonly dataSource: DataSource) {
    ({ connections: this.connections, address: this.address } = dataSource.options.extra as ConnectionOptions);
  }

  async connect(): Promise<void> {
    if (this.dataSource.isInitialized) return;
    await this.dataSource.initialize();
    this.connections.guard(this.pool);
  }

  async close(): Promise<void> {
    if (this.dataSource.isInitialized) await this.dataSource.destroy();
  }

  /** Runs one statement in its own transaction. It runs again if the server refused it because of the session. */
  async query<Row>(statement: Statement, values: readonly unknown[] = []): Promise<Row[]> {
    const once = () => this.withClient((client) => runStatement(client, statement, values));
    const run = (): Promise<unknown[]> => inStatement(this.address, statement.name, once);
    return (await run().catch((error: unknown) => (isStaleSession(error) ? run() : Promise.reject(error)))) as Row[];
  }

  /**
   * Runs `work` in one transaction and commits. Serialization failures, deadlocks and errors that `retryOn` names start
   * `work` again from the beginning. A session that is not fit any more does so once, on a fresh connection. So `work`
   * must not change anything outside of the transaction.
   */
  async transaction<T>(work: (tx: Tx) => Promise<T>, retryOn?: (error: unknown) => boolean): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await inTransaction(this.address, (onStatement) =>
          this.withClient((client) => runTransaction(client, work, onStatement)),
        );
      } catch (error) {
        const again = isSerializationFailure(error) || (attempt === 1 && isStaleSession(error)) || retryOn?.(error);
        if (!again || attempt >= MAX_ATTEMPTS) throw error;
      }
    }
  }

  /** TypeORM cannot name statements, so they go directly to its pool. */
  private async withClient<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    const client = await this.pool.connect().catch((cause: Error) => {
      throw new DatabaseAwayError(cause.message, { cause });
    });
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

  /** Its connections to the server, and who waits for one. */
  get poolState(): { used: number; idle: number; waiting: number; most: number } {
    const { totalCount, idleCount, waitingCount } = this.dataSource.isInitialized ? this.pool : NO_POOL;
    const { poolSize } = this.dataSource.options as { poolSize?: number };
    return {
      used: totalCount - idleCount,
      idle: idleCount,
      waiting: waitingCount,
      most: poolSize ?? DEFAULT_POOL_SIZE,
    };
  }

  private get pool(): Pool {
    const { master } = this.dataSource.driver as unknown as { master?: Pool };
    if (!master) throw new Error('the database is not connected');
    return master;
  }
}

const NO_POOL = { totalCount: 0, idleCount: 0, waitingCount: 0 };

const ignore = (): void => undefined;
