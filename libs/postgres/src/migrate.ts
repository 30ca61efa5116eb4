/**
 * Brings a database to the newest schema; safe when several replicas start at once, and beside services that work.
 *
 * Migrations have a connection of their own, because they need other settings than the statements of a service: a
 * migration may take hours. Only its wait for a lock is short. A migration that waits for a lock on a table blocks
 * everybody who comes behind it, so it gives way and comes again.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientBase } from 'pg';
import { DataSource, MigrationExecutor, type QueryRunner } from 'typeorm';
import { type DatabaseAddress, userOf } from './address';
import { Connections } from './connection';
import type { Database } from './database';
import { grantEverydayWork } from './grants';
import { isLockTimeout, isSerializationFailure } from './pg-errors';
import { MIGRATION_LOCK_TIMEOUT, MIGRATION_SETTINGS, setUpSession } from './session';

export interface MigrateOptions {
  /** Who migrates: the owner of the database. Without it, the everyday role migrates, and needs its rights for that. */
  migrator?: DatabaseAddress;
  /** How often the migrations are tried while others hold the tables that they need. */
  attempts?: number;
  /** The time for others between two attempts. */
  pauseMs?: number;
}

/** One lock per database is enough; the number only has to be the same in every replica. */
const MIGRATION_LOCK = 7_201_958;
/** About half a minute. Then the start fails with a sentence, so that somebody looks for who holds the table. */
const ATTEMPTS = 10;
/** Longer than a transaction of a service, so that those which waited behind the migration get through. */
const PAUSE_MS = 1_000;

/** Thrown when the migrations got no lock on a table. Nothing of them was kept. */
export class MigrationLockedError extends Error {
  readonly code = 'MIGRATION_LOCKED';

  constructor(attempts: number, cause: unknown) {
    super(
      `the migrations got no lock on a table in ${attempts} attempts; pg_locks of the database tells who holds it, ` +
        'often a transaction that was left open',
      { cause },
    );
    this.name = 'MigrationLockedError';
  }
}

/** Runs the pending migrations, connects the database, and returns their names. */
export async function migrate(database: Database, options: MigrateOptions = {}): Promise<string[]> {
  const done = await runMigrations(database, options);
  // Only now: before, the everyday role may have no right to come in.
  await database.connect();
  return done;
}

/** Runs the pending migrations and returns their names. The database itself is not connected. */
export async function runMigrations(database: Database, options: MigrateOptions = {}): Promise<string[]> {
  const { attempts = ATTEMPTS, pauseMs = PAUSE_MS } = options;
  const everydayRole = options.migrator && userOf(database.address);
  const migrator = await connectMigrator(database, options.migrator ?? database.address);
  try {
    for (let attempt = 1; ; attempt++) {
      try {
        return await runPending(migrator, everydayRole);
      } catch (error) {
        if (!isLockTimeout(error) && !isSerializationFailure(error)) throw error;
        if (attempt >= attempts) throw new MigrationLockedError(attempts, error);
      }
      await sleep(pauseMs);
    }
  } finally {
    await migrator.destroy();
  }
}

/** The same database with the same migrations, and other settings. */
function connectMigrator({ dataSource: { options } }: Database, address: DatabaseAddress): Promise<DataSource> {
  const extra = {
    ...(options.extra as object),
    address,
    connections: new Connections(),
    answerWithinMs: 0,
    onConnect: (client: ClientBase) => setUpSession(client, MIGRATION_SETTINGS),
  };
  return new DataSource({ ...options, entities: [], extra }).initialize();
}

/** All in one transaction, and behind the other replicas. */
async function runPending(migrator: DataSource, everydayRole: string | undefined): Promise<string[]> {
  const runner = migrator.createQueryRunner();
  await runner.startTransaction();
  try {
    await waitForTurn(runner);
    const done = await new MigrationExecutor(migrator, runner).executePendingMigrations();
    if (everydayRole !== undefined) await grantEverydayWork(runner, everydayRole);
    await runner.commitTransaction();
    return done.map((migration) => migration.name);
  } catch (error) {
    await runner.rollbackTransaction().catch(() => undefined);
    throw error;
  } finally {
    await runner.release();
  }
}

/** This wait blocks nobody, so it has no limit. The lock ends with the transaction. */
async function waitForTurn(runner: QueryRunner): Promise<void> {
  await runner.query('set local lock_timeout = 0');
  await runner.query('select pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
  await runner.query(`set local lock_timeout = '${MIGRATION_LOCK_TIMEOUT}'`);
}
