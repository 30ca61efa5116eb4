/** The list of parked sagas follows the time at which they were begun, by the clock of the database. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class ListByCreation1760000001100 implements MigrationInterface {
  name = 'ListByCreation1760000001100';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`drop index saga_parked`);
    await runner.query(
      `create index saga_parked on saga ((data ->> 'tenant'), created_at, id) where status = 'parked'`,
    );
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
