/** The payments of an order are found by it. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class ListByOrder1760000030600 implements MigrationInterface {
  name = 'ListByOrder1760000030600';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`create index payment_of_order on payment (tenant, order_id) where order_id is not null`);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
