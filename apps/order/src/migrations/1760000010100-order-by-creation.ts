/** Lists follow the time of creation, by the clock of the database; ids do not tell it. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class OrderByCreation1760000010100 implements MigrationInterface {
  name = 'OrderByCreation1760000010100';

  async up(runner: QueryRunner): Promise<void> {
    // With the bare tenant, the planner would take this index to look up an order by its key, and walk all of the tenant.
    await runner.query(`create index orders_by_creation on orders ((tenant || ''), created_at, id)`);
    await runner.query(`drop index orders_open`);
    await runner.query(
      `create index orders_open on orders (tenant, created_at, id) where status in ('pending', 'cancelling')`,
    );
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
