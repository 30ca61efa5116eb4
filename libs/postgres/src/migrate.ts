/** Brings a database to the newest schema; safe when several replicas start at once. */
import type { Database } from './database';

/** One lock per database is enough; the number only has to be the same in every replica. */
const MIGRATION_LOCK = 7_201_958;

/** Runs the pending migrations and returns their names. */
export async function migrate(database: Database): Promise<string[]> {
  await database.connect();
  // A transaction lock, not a session lock: it is always released, even with a transaction pooler.
  const guard = database.dataSource.createQueryRunner();
  await guard.startTransaction();
  try {
    await guard.query('set local lock_timeout = 0');
    await guard.query('set local statement_timeout = 0');
    await guard.query('set local idle_in_transaction_session_timeout = 0');
    await guard.query('select pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
    const done = await database.dataSource.runMigrations({ transaction: 'all' });
    return done.map((migration) => migration.name);
  } finally {
    await guard.rollbackTransaction();
    await guard.release();
  }
}
