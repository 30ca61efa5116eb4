/** Whether the migrations still make the schema that is kept in schema.txt. */
import { join } from 'node:path';
import { ledgerMigrations } from '@shop/idempotency';
import { messagingMigrations, outboxMigrations } from '@shop/messaging';
import { applyMigrations } from '@shop/postgres/testing';
import { sagaMigrations } from '@shop/saga';
import { expectSchema, useStack } from '@shop/testing';
import { orderMigrations } from '.';

const stack = useStack();

it('makes the schema in schema.txt from an empty database', async () => {
  const migrations = [
    ...ledgerMigrations,
    ...messagingMigrations,
    ...sagaMigrations,
    ...outboxMigrations,
    ...orderMigrations,
  ];
  await applyMigrations(stack.databaseUrl, migrations);
  await expectSchema(stack.databaseUrl, join(__dirname, '../../schema.txt'), '@shop/order');
});
