/** The tables of the order service, for tests of parts of it. */
import { ledgerMigrations } from '@shop/idempotency';
import { messagingMigrations, outboxMigrations } from '@shop/messaging';
import { createDatabase, migrate } from '@shop/postgres';
import { sagaMigrations } from '@shop/saga';
import { orderMigrations } from '../src/migrations';

const migrations = [
  ...ledgerMigrations,
  ...sagaMigrations,
  ...messagingMigrations,
  ...outboxMigrations,
  ...orderMigrations,
];

export async function createOrderTables(url: string): Promise<void> {
  const database = createDatabase({ url, applicationName: 'migrate', migrations });
  await migrate(database);
  await database.close();
}
