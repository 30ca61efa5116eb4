/**
 * What the everyday role of a service may do in its database: work with the rows of all tables, and nothing else. The
 * role that migrates owns the tables and gives the rights, in the transaction of the migrations.
 */
import { escapeIdentifier } from 'pg';
import type { QueryRunner } from 'typeorm';

/** TypeORM's list of the migrations that ran. The everyday role only reads it. */
export const MIGRATIONS_TABLE = 'migration';

const ROWS = 'select, insert, update, delete';

/**
 * May run again, and does at each migration, so that a right which somebody took away comes back. The tables of later
 * migrations are in the default privileges too, so that they are never without rights.
 */
export async function grantEverydayWork(runner: QueryRunner, everydayRole: string): Promise<void> {
  const [{ name }] = (await runner.query('select current_database() as name')) as [{ name: string }];
  const [database, role] = [escapeIdentifier(name), escapeIdentifier(everydayRole)];
  const statements = [
    // Whoever has a login at the server could come in, and make temporary tables.
    `revoke all on database ${database} from public`,
    `grant connect on database ${database} to ${role}`,
    'revoke all on schema public from public',
    `grant usage on schema public to ${role}`,
    `grant ${ROWS} on all tables in schema public to ${role}`,
    `grant usage, select on all sequences in schema public to ${role}`,
    `grant execute on all routines in schema public to ${role}`,
    `alter default privileges in schema public grant ${ROWS} on tables to ${role}`,
    `alter default privileges in schema public grant usage, select on sequences to ${role}`,
    `alter default privileges in schema public grant execute on routines to ${role}`,
    `revoke insert, update, delete on ${MIGRATIONS_TABLE} from ${role}`,
  ];
  for (const statement of statements) await runner.query(statement);
}
