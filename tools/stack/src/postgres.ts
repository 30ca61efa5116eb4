// What the stack needs from a PostgreSQL, whoever runs it, and small helpers for its URL.
import { Client } from 'pg';
import { StackError } from './stack-error';

export interface PostgresServer {
  /** A URL of a user who may create databases. */
  readonly adminUrl: string;
  pid(): number | undefined;
  /** Ends it like a crash: it does no shutdown work, and the next start recovers from the log. */
  kill(): Promise<void>;
  start(): Promise<void>;
  restart(mode: 'immediate' | 'fast'): Promise<void>;
  stop(): Promise<void>;
}

/** Checks that the server answers, or throws a sentence on what is wrong with DATABASE_URL. */
export async function givenPostgres(adminUrl: string): Promise<PostgresServer> {
  try {
    await withClient(adminUrl, (client) => client.query('select 1'));
  } catch (error) {
    throw new StackError(
      'The PostgreSQL named by DATABASE_URL does not answer; start it or unset DATABASE_URL.',
      error,
    );
  }
  return withoutFaults({ adminUrl, stop: async () => undefined });
}

/** A server that is not our own process, so we cannot break it on request. */
export function withoutFaults(server: { adminUrl: string; stop(): Promise<void> }): PostgresServer {
  return { ...server, pid: () => undefined, kill: refuseFault, start: refuseFault, restart: refuseFault };
}

export async function refuseFault(): Promise<never> {
  throw new StackError(
    'Faults can only be injected into servers that the stack runs itself; unset DATABASE_URL, NATS_URL and TEST_STACK.',
  );
}

export function databaseUrl(adminUrl: string, database: string): string {
  const url = new URL(adminUrl);
  url.pathname = `/${encodeURIComponent(database)}`;
  return url.href;
}

export async function withClient<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  // A connection that breaks between queries reports it here; the query that follows fails by itself.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}
