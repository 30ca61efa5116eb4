/** Creates the tables in the database of a test. */
import { createDatabase, type DatabaseOptions } from '../src/database';
import { migrate } from '../src/migrate';

/** Runs these migrations there, and leaves no connection behind. */
export async function applyMigrations(
  url: string,
  migrations: NonNullable<DatabaseOptions['migrations']>,
): Promise<void> {
  const database = createDatabase({ url, applicationName: 'migrate', migrations });
  try {
    await migrate(database);
  } finally {
    await database.close();
  }
}
