/** Checks that the migrations still make the schema in schema.txt. */
import { join } from 'node:path';
import { applyMigrations } from '@shop/postgres/testing';
import { expectSchema, useStack } from '@shop/testing';
import { fulfilmentMigrations } from '.';

const stack = useStack();

it('makes the schema in schema.txt from an empty database', async () => {
  await applyMigrations(stack.databaseUrl, fulfilmentMigrations);
  await expectSchema(stack.databaseUrl, join(__dirname, '../../schema.txt'), '@shop/fulfilment');
});
