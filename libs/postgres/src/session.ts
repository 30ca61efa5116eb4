/**
 * The settings of a session that our statements rely on.
 *
 * A database or a role may have other values for them (`alter database … set …`), so each new connection sets them with
 * one statement, before anybody gets it. They are no parameters of the start of the connection: PgBouncer refuses those,
 * or drops them without a word.
 */
import type { ClientBase } from 'pg';

export type Settings = Readonly<Record<string, string>>;

/** What values look like, what names and quotes mean, and what a commit promises. */
const MEANING: Settings = {
  client_encoding: 'UTF8',
  DateStyle: 'ISO, MDY',
  IntervalStyle: 'postgres',
  TimeZone: 'UTC',
  bytea_output: 'hex',
  extra_float_digits: '1',
  array_nulls: 'on',
  standard_conforming_strings: 'on',
  // With another path, a service would find no tables, and would make new and empty ones. Temporary tables come last,
  // so that none of them hides a table of ours.
  search_path: 'public, pg_temp',
  default_transaction_isolation: 'read committed',
  // Whoever sets `default_transaction_read_only` wants no writes, often during a failover. So it is not in this list.
  // The least that is enough; see `setAll`.
  synchronous_commit: 'on',
};

/** Shorter than the wait of the client for an answer, so that the server ends a slow statement and says so. */
const STATEMENT_TIMEOUT = '4500ms';
/** The longest time that a statement waits for a row that another replica holds. */
const LOCK_TIMEOUT = '3s';
/** A replica that is paused or cut off inside a transaction must not hold its locks for longer. */
const IDLE_IN_TRANSACTION_TIMEOUT = '5s';

/** The limits above are enough, and the pool closes idle connections. Old servers have neither of these two. */
const NO_OTHER_LIMITS: Settings = { transaction_timeout: '0', idle_session_timeout: '0' };

/**
 * Every statement of a service looks up rows by key. Its plan is made once for each connection, perhaps while the table
 * is still empty and a scan looks cheap. These settings force the plan for a large table: by index, row by row, and
 * without compilation.
 */
const PLANNER: Settings = {
  plan_cache_mode: 'force_generic_plan',
  enable_seqscan: 'off',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
  enable_nestloop: 'on',
  enable_indexscan: 'on',
  enable_indexonlyscan: 'on',
  // A list would read and sort all rows of a tenant for its first page. See also `by-summary.ts`.
  enable_bitmapscan: 'off',
  jit: 'off',
};

export const SERVICE_SETTINGS: Settings = {
  ...MEANING,
  ...NO_OTHER_LIMITS,
  ...PLANNER,
  lock_timeout: LOCK_TIMEOUT,
  statement_timeout: STATEMENT_TIMEOUT,
  idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT,
};

/**
 * A migration that waits for a lock on a table blocks everybody who comes behind it. So it waits for less time than the
 * statements of a service do, gives way, and comes again.
 */
export const MIGRATION_LOCK_TIMEOUT = '2s';

/** A migration may take hours, and may need a scan. Its planner is the one of the database. */
export const MIGRATION_SETTINGS: Settings = {
  ...MEANING,
  ...NO_OTHER_LIMITS,
  lock_timeout: MIGRATION_LOCK_TIMEOUT,
  statement_timeout: '0',
  idle_in_transaction_session_timeout: '0',
};

/**
 * `off` may lose what was committed. Every other value of `synchronous_commit` keeps it, and some promise more than `on`:
 * those stay. Settings that this server does not know are left out.
 */
const setAll = `
  select set_config(name, value, false) from unnest($1::text[], $2::text[]) as s (name, value)
  where current_setting(name, true) is not null
    and (name <> 'synchronous_commit' or value = 'off' or current_setting(name) = 'off')`;

/** Gives a new connection its settings, in one round trip. */
export async function setUpSession(client: ClientBase, settings: Settings): Promise<void> {
  await client.query(setAll, [Object.keys(settings), Object.values(settings)]);
}
