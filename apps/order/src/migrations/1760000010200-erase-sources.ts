/** Sagas that have ended do not keep the token of a means of payment. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class EraseSources1760000010200 implements MigrationInterface {
  name = 'EraseSources1760000010200';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `update saga set data = data - 'source' where status in ('completed', 'compensated') and data ? 'source'`,
    );
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
