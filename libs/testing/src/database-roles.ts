// The two roles of a service in the database of a test, made as docker-compose makes them.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { asAdmin, rolesOf } from './admin';

/** Addresses of one database. */
export interface DatabaseRoles {
  everyday: string;
  migrator: string;
}

const FILE = join(__dirname, '../../../docker/roles.sql');
/** The server listens on this machine only, and the roles go with the database. */
const PASSWORD = 'test';
/** Replicas that start together, also in several processes, make the roles of one database one after the other. */
const LOCK = 7_201_960;

export async function createDatabaseRoles(adminUrl: string): Promise<DatabaseRoles> {
  return asAdmin(adminUrl, async (client) => {
    const { rows } = await client.query<{ name: string }>('select current_database() as name, pg_advisory_lock($1)', [
      LOCK,
    ]);
    const [service, migrator] = rolesOf(rows[0]!.name);
    await client.query(
      `select set_config('shop.service', $1, false), set_config('shop.migrator', $2, false),
              set_config('shop.service_password', $3, false), set_config('shop.migrator_password', $3, false)`,
      [service, migrator, PASSWORD],
    );
    await client.query(readFileSync(FILE, 'utf8'));
    return { everyday: urlAs(adminUrl, service), migrator: urlAs(adminUrl, migrator) };
  });
}

function urlAs(adminUrl: string, role: string): string {
  const url = new URL(adminUrl);
  [url.username, url.password] = [role, PASSWORD];
  return url.href;
}
