// Creates the databases a stack was asked for, unless they exist.
import { DatabaseError, type Client } from 'pg';
import { withClient } from './postgres';
import { StackError } from './stack-error';

// Another process may create the same database at the same moment: either of these codes says that it was faster.
const ALREADY_THERE = new Set(['42P04', '23505']);

export async function createDatabases(adminUrl: string, names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  await withClient(adminUrl, async (client) => {
    // One after the other: each reads the same template, and two at once may be refused.
    for (const name of names) await createDatabase(client, name);
  });
}

async function createDatabase(client: Client, name: string): Promise<void> {
  const found = await client.query('select from pg_database where datname = $1', [name]);
  if (found.rowCount !== 0) return;
  try {
    await client.query(`create database ${client.escapeIdentifier(name)}`);
  } catch (error) {
    if (error instanceof DatabaseError && ALREADY_THERE.has(error.code ?? '')) return;
    throw new StackError(`Database ${name} could not be created; create it or give the user the right to.`, error);
  }
}
