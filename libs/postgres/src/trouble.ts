/** Looks whether the database can do the work of its service now. */
import type { Database } from './database';
import { MIGRATIONS_TABLE } from './grants';
import { faultOf, isMissingTable } from './pg-errors';
import type { Statement } from './statement';

const look: Statement = {
  name: 'database.look',
  text: `
    select pg_is_in_recovery() or current_setting('transaction_read_only') = 'on' as "readOnly",
           (select coalesce(json_agg(name), '[]') from ${MIGRATIONS_TABLE}) as migrations`,
};

/** The names of the migrations that the database does not have yet. */
export async function pendingMigrations(database: Database): Promise<string[]> {
  try {
    const [row] = await database.query<{ migrations: string[] }>(look);
    return pendingOf(database, row!.migrations);
  } catch (error) {
    if (isMissingTable(error)) return pendingOf(database, []);
    throw error;
  }
}

const pendingOf = ({ dataSource }: Database, done: readonly string[]): string[] =>
  dataSource.migrations.map(({ name }) => name!).filter((name) => !done.includes(name));

/** Returns what is wrong, in a few words without names or values; nothing if all is well. */
export async function troubleOf(database: Database): Promise<string | undefined> {
  try {
    const [row] = await database.query<{ readOnly: boolean; migrations: string[] }>(look);
    const { readOnly, migrations } = row!;
    // A session that began while the server only read may stay like that. The next look has a fresh one.
    if (readOnly) database.connections.retireAll();
    if (readOnly) return 'only reads';
    return pendingOf(database, migrations).length > 0 ? 'has pending migrations' : undefined;
  } catch (error) {
    return faultOf(error) === 'away' ? 'does not answer' : 'refuses to answer';
  }
}
