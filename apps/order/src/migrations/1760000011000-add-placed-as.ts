/** The natural key of an order that was placed with an Idempotency-Key: it stays when the ledger forgets the key. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class AddPlacedAs1760000011000 implements MigrationInterface {
  name = 'AddPlacedAs1760000011000';

  async up(runner: QueryRunner): Promise<void> {
    // Orders from before have none: the ledger knows their keys for as long as these may be repeated.
    await runner.query(`alter table orders add column placed_as uuid`);
    await runner.query(
      `comment on column orders.placed_as is 'Hash of the claim under which it was placed; null under an id of the client, which is its own natural key'`,
    );
    await runner.query(`create unique index orders_placed_as on orders (placed_as) where placed_as is not null`);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
