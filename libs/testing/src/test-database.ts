// A fresh database for one test file.
import { randomBytes } from 'node:crypto';
import { basename } from 'node:path';
import { asAdmin, databaseName, dropDatabase, urlOf } from './admin';
import { testStack } from './stack-urls';
import { copyTemplate } from './templates';

export interface TestDatabaseOptions {
  /** Callers that pass the same key get copies of one database, which `migrate` prepared once. */
  templateKey?: string;
}

export interface TestDatabase {
  readonly name: string;
  readonly url: string;
  /** Ends the connections that are still open. */
  drop(): Promise<void>;
}

/** `migrate` must have closed its connections when it resolves. */
export async function createTestDatabase(
  migrate: (url: string) => Promise<void> = async () => undefined,
  options: TestDatabaseOptions = {},
): Promise<TestDatabase> {
  const { adminUrl } = await testStack();
  const name = databaseName(nameOfTestFile(), randomBytes(4).toString('hex'));
  const url = urlOf(adminUrl, name);
  const drop = (): Promise<void> => asAdmin(adminUrl, (client) => dropDatabase(client, name));
  if (options.templateKey !== undefined) {
    await copyTemplate(adminUrl, name, options.templateKey, migrate);
    return { name, url, drop };
  }
  await asAdmin(adminUrl, (client) => client.query(`create database ${client.escapeIdentifier(name)}`));
  await migrate(url);
  return { name, url, drop };
}

function nameOfTestFile(): string {
  const file = basename(expect.getState().testPath ?? 'unknown').replace(/(\.(int|e2e|spec))*\.[cm]?[jt]sx?$/, '');
  return file.replace(/[^a-z0-9]+/gi, '_');
}
