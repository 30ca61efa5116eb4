// What the files about test databases share: statements as the administrator, names, and the end of a run.
import { Client } from 'pg';

export async function asAdmin<T>(adminUrl: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: adminUrl });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** On a busy machine Jest may read code for seconds before it looks at what the server has long answered. */
const CONNECT_TIMEOUT_SECONDS = '20';

export function urlOf(adminUrl: string, database: string): string {
  const url = new URL(adminUrl);
  url.pathname = `/${encodeURIComponent(database)}`;
  url.searchParams.set('connect_timeout', CONNECT_TIMEOUT_SECONDS);
  return url.href;
}

/** Names contain the run, so that its end can find them; PostgreSQL cuts names after 63 characters. */
export function databaseName(what: string, which: string): string {
  return `test_${what.slice(0, 30)}_${process.env.SHOP_TEST_RUN ?? 'alone'}_${which}`;
}

const KEPT = 'kept because a test failed';

/** Keeps a database after the end of the run, so that a person can look into it. */
export async function keepDatabase(adminUrl: string, name: string): Promise<void> {
  await asAdmin(adminUrl, async (client) => {
    await client.query(`comment on database ${client.escapeIdentifier(name)} is ${client.escapeLiteral(KEPT)}`);
  });
}

/** Drops what the run made, except what it kept. */
export async function dropDatabasesOfRun(adminUrl: string, run: string): Promise<void> {
  await asAdmin(adminUrl, async (client) => {
    const { rows } = await client.query<{ datname: string }>(
      `select datname from pg_database
       where datname like 'test\\_%' and position($1 in datname) > 0
         and shobj_description(oid, 'pg_database') is distinct from $2`,
      [`_${run}_`, KEPT],
    );
    for (const { datname } of rows) await dropDatabase(client, datname);
  });
}

/** With the open connections, and with its roles. */
export async function dropDatabase(client: Client, name: string): Promise<void> {
  await client.query(`drop database if exists ${client.escapeIdentifier(name)} with (force)`);
  await client.query(
    `drop role if exists ${rolesOf(name)
      .map((role) => client.escapeIdentifier(role))
      .join(', ')}`,
  );
}

/** The everyday role of a database, and the one that migrates. */
export const rolesOf = (database: string): [string, string] => [`${database}_service`, `${database}_migrator`];
