/** The tables of the order service, for tests of parts of it. */
import { ledgerMigrations } from '@shop/idempotency';
import { messagingMigrations, outboxMigrations } from '@shop/messaging';
import { applyMigrations } from '@shop/postgres/testing';
import { sagaMigrations } from '@shop/saga';
import { orderMigrations } from '../src/migrations';

const migrations = [
  ...ledgerMigrations,
  ...sagaMigrations,
  ...messagingMigrations,
  ...outboxMigrations,
  ...orderMigrations,
];

export const createOrderTables = (url: string) => applyMigrations(url, migrations);
