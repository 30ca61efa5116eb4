/** The token of a means of payment is kept only until its payment is settled. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class EraseSources1760000030100 implements MigrationInterface {
  name = 'EraseSources1760000030100';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`alter table payment alter column source drop not null`);
    await runner.query(`update payment set source = null where status <> 'pending'`);
    await runner.query(
      // Replicas of the version before settle payments and keep the source, so only the other half is checked.
      `alter table payment add constraint payment_pending_has_source check (status <> 'pending' or source is not null)`,
    );
    await runner.query(
      `comment on column payment.source is 'The provider''s token, kept to ask again with the same request until the payment is settled'`,
    );
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
