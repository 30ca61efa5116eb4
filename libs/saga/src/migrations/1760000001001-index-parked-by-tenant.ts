/** Parked sagas are listed by whose they are, which their data says. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class IndexParkedByTenant1760000001001 implements MigrationInterface {
  name = 'IndexParkedByTenant1760000001001';

  async up(runner: QueryRunner): Promise<void> {
    // Only a saga that is parked pays for it: the index has no entry for the others.
    await runner.query(`drop index saga_parked`);
    await runner.query(`create index saga_parked on saga ((data ->> 'tenant'), id) where status = 'parked'`);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
