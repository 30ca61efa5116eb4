/** The roles of the databases, made as docker-compose makes them, with passwords that only this start knows. */
import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { readDockerFile } from './docker-file';

/** Two addresses of one database. */
export interface DatabaseRoles {
  /** Of the role of the everyday work. */
  everyday: string;
  /** Of the role that owns the tables. Undefined where roles cannot be made; then the everyday one migrates. */
  migrator?: string;
}

/** `adminUrl` is of the database of the service, whose roles are named after it. */
export async function createDatabaseRoles(adminUrl: string, service: string): Promise<DatabaseRoles> {
  const client = new Client({ connectionString: adminUrl });
  await client.connect();
  try {
    // Of a server that was given.
    const { rows } = await client.query<{ able: boolean }>(
      'select rolsuper as able from pg_roles where rolname = current_user',
    );
    if (!rows[0]!.able) return { everyday: adminUrl };
    const [everyday, migrator] = [newRole(`${service}_service`), newRole(`${service}_migrator`)];
    await client.query(
      `select set_config('shop.service', $1, false), set_config('shop.service_password', $2, false),
              set_config('shop.migrator', $3, false), set_config('shop.migrator_password', $4, false)`,
      [everyday.name, everyday.password, migrator.name, migrator.password],
    );
    await client.query(readDockerFile('roles.sql'));
    return { everyday: urlAs(adminUrl, everyday), migrator: urlAs(adminUrl, migrator) };
  } finally {
    await client.end();
  }
}

interface Role {
  name: string;
  password: string;
}

const newRole = (name: string): Role => ({ name, password: randomBytes(16).toString('hex') });

function urlAs(adminUrl: string, { name, password }: Role): string {
  const url = new URL(adminUrl);
  url.username = name;
  url.password = password;
  return url.href;
}
