// Starts PostgreSQL and NATS, from any source that this machine has, and stops them without leaving anything.
import { startNatsContainer, startPostgresContainer } from './containers';
import { openDataDir, removeDataDir, type DataDir } from './data-dir';
import { createDatabases } from './databases';
import { startEmbeddedNats } from './embedded-nats';
import { startEmbeddedPostgres } from './embedded-postgres';
import { assertPortFree, freePort } from './free-port';
import { startGuard, type Guard } from './guard';
import { givenNats, type NatsAccess, type NatsServer } from './nats';
import { findNatsServer } from './nats-binary';
import { databaseUrl, givenPostgres, type PostgresServer } from './postgres';

export interface StackOptions {
  /** Created where they are missing. */
  databases: string[];
  /** Where the data stays between runs; without it a temporary folder is used and deleted. */
  dataDir?: string;
  /** Gets a whole sentence for each thing that happens. */
  log?: (sentence: string) => void;
  /** Read for DATABASE_URL, NATS_URL, TEST_STACK, PATH, HOME and XDG_CACHE_HOME; `process.env` unless given. */
  env?: NodeJS.ProcessEnv;
  postgresPort?: number;
  natsPort?: number;
  /** Without it everybody may do everything. It is not asked of a server that is given. */
  natsAccess?: NatsAccess;
  /** Whether a commit waits for the disk; yes unless given. */
  durable?: boolean;
}

/** The fault methods throw StackError for servers that the stack does not run itself. */
export interface Stack {
  readonly adminUrl: string;
  readonly natsUrl: string;
  /** Undefined when NATS_URL was given. */
  readonly natsMonitorUrl: string | undefined;
  databaseUrl(name: string): string;
  /** Undefined while the server is down or is not ours. */
  postgresPid(): number | undefined;
  natsPid(): number | undefined;
  /** Like a crash: no shutdown work is done, and the next start recovers. */
  killPostgres(): Promise<void>;
  startPostgres(): Promise<void>;
  /** On the same port; `immediate` is a crash, `fast` an orderly shutdown that ends open connections. */
  restartPostgres(mode: 'immediate' | 'fast'): Promise<void>;
  killNats(): Promise<void>;
  /** On the same port, with the streams it had. */
  startNats(): Promise<void>;
  /** Deletes every stream; a running server is killed first and started again, a dead one stays down. */
  wipeNats(): Promise<void>;
  stop(): Promise<void>;
}

/** Throws StackError, with one sentence on what to do, when a server cannot be had. */
export async function startStack(options: StackOptions): Promise<Stack> {
  const site = new Site(options);
  try {
    const [postgres, nats] = await bothOrNone(site.postgres(), site.nats());
    const stop = once(async () => {
      await Promise.all([postgres.stop(), nats.stop()]);
      await site.close();
    });
    try {
      await createDatabases(postgres.adminUrl, options.databases);
    } catch (error) {
      await stop();
      throw error;
    }
    return {
      adminUrl: postgres.adminUrl,
      natsUrl: nats.url,
      natsMonitorUrl: nats.monitorUrl,
      databaseUrl: (name) => databaseUrl(postgres.adminUrl, name),
      postgresPid: postgres.pid,
      natsPid: nats.pid,
      killPostgres: postgres.kill,
      startPostgres: postgres.start,
      restartPostgres: postgres.restart,
      killNats: nats.kill,
      startNats: nats.start,
      wipeNats: nats.wipe,
      stop,
    };
  } catch (error) {
    await site.close();
    throw error;
  }
}

/** Decides where each server comes from, and has what the embedded ones share. */
class Site {
  private readonly env: NodeJS.ProcessEnv;
  private readonly log: (sentence: string) => void;
  private readonly durable: boolean;
  private guard: Guard | undefined;
  private dataDir: Promise<DataDir> | undefined;
  private garbage: string | undefined;

  constructor(private readonly options: StackOptions) {
    this.env = options.env ?? process.env;
    this.log = options.log ?? (() => undefined);
    this.durable = options.durable ?? true;
  }

  async postgres(): Promise<PostgresServer> {
    if (this.env.DATABASE_URL) return givenPostgres(this.env.DATABASE_URL);
    const port = this.options.postgresPort;
    if (port !== undefined) await assertPortFree(port, 'PostgreSQL');
    const { durable, log } = this;
    if (this.env.TEST_STACK === 'containers') return startPostgresContainer({ port, durable });
    const { dataDir, guard } = await this.ground();
    const chosen = port ?? (await freePort());
    const server = await startEmbeddedPostgres({ dataDir, port: chosen, durable, guard, log });
    log(`PostgreSQL listens on 127.0.0.1:${chosen}.`);
    return server;
  }

  async nats(): Promise<NatsServer> {
    if (this.env.NATS_URL) return givenNats(this.env.NATS_URL);
    const port = this.options.natsPort;
    if (port !== undefined) await assertPortFree(port, 'NATS');
    if (this.env.TEST_STACK === 'containers') return startNatsContainer({ port, access: this.options.natsAccess });
    const { log } = this;
    const binary = await findNatsServer(this.env, log);
    const { dataDir, guard } = await this.ground();
    const chosen = port ?? (await freePort());
    const monitorPort = await freePort();
    const access = this.options.natsAccess;
    const server = await startEmbeddedNats({ binary, dataDir, port: chosen, monitorPort, access, guard, log });
    log(`NATS listens on 127.0.0.1:${chosen}.`);
    return server;
  }

  async close(): Promise<void> {
    if (this.garbage !== undefined) removeDataDir(this.garbage);
    await this.guard?.close();
  }

  private async ground(): Promise<{ dataDir: DataDir; guard: Guard }> {
    const guard = (this.guard ??= startGuard());
    const dataDir = await (this.dataDir ??= openDataDir(this.options.dataDir));
    if (dataDir.temporary && this.garbage === undefined) {
      this.garbage = dataDir.path;
      guard.remove(dataDir.path);
    }
    return { dataDir, guard };
  }
}

// Both start at the same time; when one fails, the other is stopped before the failure is thrown.
async function bothOrNone(
  starting: Promise<PostgresServer>,
  startingNats: Promise<NatsServer>,
): Promise<[PostgresServer, NatsServer]> {
  const [postgres, nats] = await Promise.allSettled([starting, startingNats]);
  if (postgres.status === 'fulfilled' && nats.status === 'fulfilled') return [postgres.value, nats.value];
  if (postgres.status === 'fulfilled') await postgres.value.stop();
  if (nats.status === 'fulfilled') await nats.value.stop();
  throw postgres.status === 'rejected' ? postgres.reason : (nats as PromiseRejectedResult).reason;
}

function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => (done ??= work());
}
