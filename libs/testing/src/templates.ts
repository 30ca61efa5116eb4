// Databases that are migrated once per run and then copied, which is much faster than migrating each.
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { DatabaseError, type Client } from 'pg';
import { asAdmin, databaseName, urlOf } from './admin';

/** Somebody is still connected to the database that is to be copied or renamed. */
const OBJECT_IN_USE = '55006';

/** A pool that was closed a moment ago may still have open connections. */
const LEAVING_PATIENCE_MS = 5_000;
const LEAVING_POLL_MS = 20;

/** Creates `database` as a copy of the template for `key`, made with `migrate` by the first caller in this run. */
export async function copyTemplate(
  adminUrl: string,
  database: string,
  key: string,
  migrate: (url: string) => Promise<void>,
): Promise<void> {
  const template = templateName(key);
  await asAdmin(adminUrl, async (client) => {
    // Test files run in several processes; one makes the template and the others wait for it here.
    await client.query('select pg_advisory_lock(hashtext($1))', [template]);
    try {
      const found = await client.query('select from pg_database where datname = $1', [template]);
      if (found.rowCount === 0) await makeTemplate(client, adminUrl, template, migrate);
    } finally {
      await client.query('select pg_advisory_unlock(hashtext($1))', [template]);
    }
    const names = [database, template].map((name) => client.escapeIdentifier(name));
    await whenNobodyIsIn(() => client.query(`create database ${names[0]} template ${names[1]}`));
  });
}

/** Long enough that no two keys of one run are the same. */
const KEY_HASH_CHARS = 12;

function templateName(key: string): string {
  return databaseName('template', createHash('sha256').update(key).digest('hex').slice(0, KEY_HASH_CHARS));
}

// Made under another name and renamed when complete, so that a failed migration is never used as a template.
async function makeTemplate(
  client: Client,
  adminUrl: string,
  template: string,
  migrate: (url: string) => Promise<void>,
): Promise<void> {
  const draft = `${template}_draft`;
  const [draftName, templateAsName] = [client.escapeIdentifier(draft), client.escapeIdentifier(template)];
  await client.query(`drop database if exists ${draftName} with (force)`);
  await client.query(`create database ${draftName}`);
  await migrate(urlOf(adminUrl, draft));
  await whenNobodyIsIn(() => client.query(`alter database ${draftName} rename to ${templateAsName}`));
}

async function whenNobodyIsIn(work: () => Promise<unknown>): Promise<void> {
  const deadline = performance.now() + LEAVING_PATIENCE_MS;
  for (;;) {
    try {
      await work();
      return;
    } catch (error) {
      const busy = error instanceof DatabaseError && error.code === OBJECT_IN_USE;
      if (!busy || performance.now() > deadline) throw error;
    }
    await sleep(LEAVING_POLL_MS);
  }
}
