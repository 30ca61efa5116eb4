/**
 * A connection of `pg` that is bounded and honest: it ends when the server does not answer in time, and it goes back to
 * its pool only if its session is known to be good.
 *
 * The network may forget a connection without telling either side. Then a query waits for ever, and `pg` waits with it.
 * A session may also be of no use for a reason that stays: a server that became read-only, a plan that does not fit any
 * more, a transaction that could not be rolled back. All queries pass here, ours and those of TypeORM.
 */
import { Client, type ClientConfig, type Pool, type PoolClient } from 'pg';
import { clientConfigOf, type DatabaseAddress } from './address';
import { asQuery } from './database-spans';
import { DatabaseAwayError, isStaleSession, leavesSessionGood } from './pg-errors';

/** Further settings of the pool, which it hands to each of its connections. */
export interface ConnectionOptions {
  address: DatabaseAddress;
  connections: Connections;
  /** The longest wait for an answer. 0 waits for ever. */
  answerWithinMs: number;
}

/** The parts of `Client` of `pg` that its types do not have. */
interface Wire {
  stream: { destroy(error?: Error): void };
  on(event: 'errorMessage' | 'readyForQuery', listener: (message: unknown) => void): void;
}

export class Connection extends Client {
  /** From its start, or from `acquire` of the pool, until `release`. */
  inUse = true;
  private spoiled = false;
  /** Runs while the server owes an answer. */
  private watch: NodeJS.Timeout | undefined;
  private answers = 0;
  /** The pool does not expect that making a connection fails, so this fails when it connects. */
  private readonly unusable: Error | undefined;
  private readonly options: ConnectionOptions;

  constructor(config: ClientConfig & ConnectionOptions) {
    const { parts, unusable } = partsOf(config.address);
    super({ ...config, ...parts });
    this.unusable = unusable;
    this.options = config;
    config.connections.add(this);
    this.wire.on('errorMessage', (error) => this.onRefusal(error));
    this.wire.on('readyForQuery', () => {
      this.answers++;
      this.watch?.refresh();
    });
    this.on('drain', () => this.endWatch());
    this.on('end', () => {
      this.endWatch();
      config.connections.delete(this);
    });
  }

  /** The last answer of the server left no transaction open, and no error has spoiled the session. */
  get isGood(): boolean {
    return !this.spoiled && this.getTransactionStatus() === 'I';
  }

  override connect(): Promise<Client>;
  override connect(callback: (error: Error) => void): void;
  override connect(callback?: (error: Error) => void): Promise<Client> | void {
    if (!callback) return this.unusable ? Promise.reject(this.unusable) : super.connect();
    if (this.unusable) return void setImmediate(callback, this.unusable);
    // Whatever the reason is, from a name that cannot be resolved to a password that is refused: no query is at fault.
    super.connect((error?: Error | null) =>
      callback((error && new DatabaseAwayError(error.message, { cause: error })) as Error),
    );
  }

  // The overloads of `query` take anything, and so does this.
  override query = ((...asked: Parameters<Client['query']>): unknown => {
    this.watch ??= this.startWatch();
    return asQuery(this.options.address, asked[0], () => super.query(...asked));
  }) as Client['query'];

  /** Not to be used any more. If it is in use, this is noticed when it is given back. */
  retire(): void {
    this.spoiled = true;
    if (this.inUse) return;
    // The pool removes an idle connection with an error at once, so nobody gets it any more.
    this.emit('error', new Error('this connection is not used any more'));
    this.cut();
  }

  /** Without a farewell, which a silent connection would wait for. */
  cut(error?: Error): void {
    this.wire.stream.destroy(error);
  }

  private onRefusal(error: unknown): void {
    if (leavesSessionGood(error)) return;
    this.spoiled = true;
    // The other sessions have the same age, and probably the same trouble.
    if (isStaleSession(error)) this.options.connections.retireAll();
  }

  private startWatch(): NodeJS.Timeout | undefined {
    const { answerWithinMs } = this.options;
    if (answerWithinMs === 0) return undefined;
    const check = (): void => {
      const { answers } = this;
      // If this process was held up itself, the answer may have come already. It is read before this runs.
      setImmediate(() => {
        if (this.watch && this.answers === answers) this.onSilence();
      });
    };
    return setTimeout(check, answerWithinMs).unref();
  }

  private endWatch(): void {
    clearTimeout(this.watch);
    this.watch = undefined;
  }

  private onSilence(): void {
    const { answerWithinMs, connections } = this.options;
    connections.retireAll();
    connections.onSilence?.(answerWithinMs);
    this.cut(new DatabaseAwayError(`the database has not answered within ${answerWithinMs} ms`));
  }

  private get wire(): Wire {
    return (this as unknown as { connection: Wire }).connection;
  }
}

function partsOf(address: DatabaseAddress): { parts?: ClientConfig; unusable?: Error } {
  try {
    return { parts: clientConfigOf(address) };
  } catch (error) {
    return { unusable: new DatabaseAwayError((error as Error).message, { cause: error }) };
  }
}

/** The connections of one pool. */
export class Connections extends Set<Connection> {
  /** Called when a connection is given up because the server did not answer. */
  onSilence?: (afterMs: number) => void;

  /** Keeps connections that are not good out of the pool. */
  guard(pool: Pool): void {
    // TypeORM has opened one and given it back already.
    for (const connection of this) connection.inUse = false;
    pool.on('acquire', (client) => {
      connectionOf(client).inUse = true;
    });
    pool.on('release', (_error, client) => {
      const connection = connectionOf(client);
      connection.inUse = false;
      if (connection.isGood) return;
      // The pool removes a connection that is ending.
      void connection.end();
      connection.cut();
    });
  }

  retireAll(): void {
    for (const connection of this) connection.retire();
  }
}

const connectionOf = (client: PoolClient): Connection => client as unknown as Connection;
