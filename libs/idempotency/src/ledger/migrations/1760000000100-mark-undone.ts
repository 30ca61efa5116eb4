/** A mark on leased work whose undo has come. Replicas of the version before leave it alone. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class MarkUndone1760000000100 implements MigrationInterface {
  name = 'MarkUndone1760000000100';

  async up(runner: QueryRunner): Promise<void> {
    // Nullable and without a default: the table is not written anew, and inserts need not name the column.
    await runner.query(`alter table ledger add column undone boolean`);
    await runner.query(
      `comment on column ledger.undone is 'True when an undo came while the do was pending; whoever works on the do learns it'`,
    );
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
