/** An order tells which principal has placed it, and a principal's own orders are listed from the newest on. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class OrderPrincipals1760000010300 implements MigrationInterface {
  name = 'OrderPrincipals1760000010300';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`alter table orders add column placed_by text`);
    await runner.query(
      `comment on column orders.placed_by is 'The principal that placed it; null for those of the time before this column, which only operators see'`,
    );
    // As in orders_by_creation, only a query with the same words takes it, and so no look-up of an order by its key.
    await runner.query(
      `create index orders_by_principal on orders ((tenant || ''), (placed_by || ''), created_at, id) where placed_by is not null`,
    );
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
