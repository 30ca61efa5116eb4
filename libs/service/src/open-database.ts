/** Opens the database of a service: its settings from the environment, and who brings its tables up to date. */
import { setTimeout as pause } from 'node:timers/promises';
import { type Logger } from '@shop/observability';
import {
  createDatabase,
  type Database,
  type DatabaseAddress,
  migrate,
  pendingMigrations,
  refuseSharedSessions,
  runMigrations,
} from '@shop/postgres';
import type { ServiceEnvironment } from './environment';

export interface DatabaseSettings {
  /** The role of the everyday work. */
  everyday: DatabaseAddress;
  /** The role that owns the tables. Without it, the everyday role migrates. */
  migrator?: DatabaseAddress;
  migrate: ServiceEnvironment['MIGRATE'];
}

export interface DatabaseParts {
  service: string;
  logger: Logger;
  database: DatabaseSettings;
  migrations: Function[];
  entities?: Function[];
}

/** Between two looks whether somebody has migrated. */
const LOOK_INTERVAL_MS = 1_000;
/** About every fifth look says so. */
const LOOKS_TO_SAY = 5;

/** The variables of the database of a service have its name in them. */
export function databaseSettings(environment: ServiceEnvironment, service: string): DatabaseSettings {
  const own = environment as unknown as Record<string, string | undefined>;
  const { MIGRATE, DATABASE_CA_FILE: caFile, DATABASE_CERT_FILE: certFile, DATABASE_KEY_FILE: keyFile } = environment;
  const prefix = service.toUpperCase();
  const tls = { caFile, certFile, keyFile };
  const address = (what: string, url: string) => ({ url, passwordFile: own[`${prefix}_${what}_PASSWORD_FILE`], tls });
  const migrator = own[`${prefix}_MIGRATION_DATABASE_URL`];
  return {
    everyday: address('DATABASE', own[`${prefix}_DATABASE_URL`]!),
    migrator: migrator === undefined ? undefined : address('MIGRATION_DATABASE', migrator),
    migrate: MIGRATE,
  };
}

/** Connected, with the newest tables. */
export async function openDatabase(parts: DatabaseParts): Promise<Database> {
  const { logger, database: settings } = parts;
  const { everyday, migrator } = settings;
  const database = databaseOf(parts);
  database.connections.onSilence = (afterMs) => logger.warn({ afterMs }, 'database.silent');
  if (settings.migrate === 'never') {
    await refuseSharedSessions(everyday);
    await database.connect();
    await untilMigrated(database, logger);
    return database;
  }
  // Migrations need a session of their own too.
  await refuseSharedSessions(migrator ?? everyday);
  sayMigrated(logger, await migrate(database, { migrator }));
  if (migrator) await refuseSharedSessions(everyday);
  return database;
}

/** For a process that does nothing else. The everyday role only gets its rights. */
export async function migrateOnly(parts: DatabaseParts): Promise<void> {
  const { everyday, migrator } = parts.database;
  await refuseSharedSessions(migrator ?? everyday);
  const done = await runMigrations(databaseOf(parts), { migrator });
  sayMigrated(parts.logger, done);
  parts.logger.info({ migrations: done.length }, 'migration.finished');
}

const databaseOf = ({ service, database, migrations, entities }: DatabaseParts): Database =>
  createDatabase({ ...database.everyday, applicationName: `shop-${service}`, migrations, entities });

function sayMigrated(logger: Logger, done: string[]): void {
  if (done.length > 0) logger.info({ migrations: done }, 'database.migrated');
}

/** As for a broker that is not there yet: with older tables, nothing of the service would work, and it may not end. */
async function untilMigrated(database: Database, logger: Logger): Promise<void> {
  for (let look = 0; ; look++) {
    const pending = await pendingMigrations(database);
    if (pending.length === 0) return;
    if (look % LOOKS_TO_SAY === 0) logger.warn({ pending }, 'database.waiting');
    await pause(LOOK_INTERVAL_MS);
  }
}
