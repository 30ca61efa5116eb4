/** A saga keeps that it waits for somebody else to act. A release that does not know this sees a saga with a deadline. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class WaitingSagas1760000001200 implements MigrationInterface {
  name = 'WaitingSagas1760000001200';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`alter table saga add column waiting jsonb`);
    await runner.query(
      `comment on column saga.waiting is 'Until when and for whom it waits at this step (then attempt is 0), or that there was news of the awaited command'`,
    );
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
