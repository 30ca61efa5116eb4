/**
 * Refuses a pooler that gives the same session to several clients in turn (PgBouncer with `pool_mode = transaction` or
 * `statement`).
 *
 * Our statements are prepared once for each session, and rely on settings of the session. Behind such a pooler, a
 * statement meets a session that has neither. With `pool_mode = session` a client keeps its session, so that is fine.
 */
import { Client } from 'pg';
import { clientConfigOf, connectTimeoutMsOf, type DatabaseAddress } from './address';
import { DatabaseAwayError } from './pg-errors';

/** A pooler that has no session to give lets its client wait. */
const ANSWER_WITHIN_MS = 5_000;
/**
 * Who asks, in this order, while both are connected. A pooler gives a free session to whoever asks next: either the one
 * that was given back last, and the two clients see the same one, or the one that is free for the longest time, and the
 * first client sees two. Others who use the pooler may take a session in between, so this is done several times.
 */
const TURNS = [0, 0, 1] as const;
const ROUNDS = 4;

/** Process numbers of two servers may be equal. */
const whoAnswers = `select pg_backend_pid() || ' of ' || pg_postmaster_start_time() as session`;

/** Thrown when the sessions of the database are shared, or when a pooler has too few of them. */
export class PoolerError extends Error {
  readonly code = 'POOLER_NOT_USABLE';

  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'PoolerError';
  }
}

export interface Seen {
  client: number;
  session: string;
}

/** True when a client has changed its session, or a session its client. */
export function areShared(seen: readonly Seen[]): boolean {
  return seen.some((one) => seen.some((other) => (one.client === other.client) !== (one.session === other.session)));
}

/** Looks at two connections to the database, and throws unless each has a session of its own. */
export async function refuseSharedSessions(address: DatabaseAddress): Promise<void> {
  const clients = [newClient(address), newClient(address)] as const;
  try {
    // One after the other: if the first cannot connect, its error says why.
    for (const client of clients) await connect(client);
    const seen: Seen[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      for (const client of TURNS) seen.push({ client, session: await sessionOf(clients[client]) });
    }
    if (!areShared(seen)) return;
  } finally {
    for (const client of clients) void client.end().catch(ignore);
  }
  throw new PoolerError(
    'a pooler before the database gives one session to several clients; set pool_mode = session in PgBouncer, ' +
      'or connect to PostgreSQL itself',
  );
}

function newClient(address: DatabaseAddress): Client {
  const client = new Client({
    ...clientConfigOf(address),
    application_name: 'shop-pooler-check',
    connectionTimeoutMillis: connectTimeoutMsOf(address),
    query_timeout: ANSWER_WITHIN_MS,
  });
  // A broken connection also fails its query, which tells it.
  client.on('error', ignore);
  return client;
}

async function connect(client: Client): Promise<void> {
  try {
    await client.connect();
  } catch (cause) {
    throw new DatabaseAwayError((cause as Error).message, { cause });
  }
}

async function sessionOf(client: Client): Promise<string> {
  try {
    const { rows } = await client.query<{ session: string }>(whoAnswers);
    return rows[0]!.session;
  } catch (cause) {
    if ((cause as { code?: string }).code !== undefined) throw cause;
    throw new PoolerError(
      `the database accepts connections and does not answer on one of them (${(cause as Error).message}); a pooler ` +
        'before it may have too few sessions: each process of a service needs ten',
      cause,
    );
  }
}

const ignore = (): void => undefined;
