/** An order that waits for its customer shows what the customer has to do. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class NextActions1760000010400 implements MigrationInterface {
  name = 'NextActions1760000010400';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`alter table orders add column next_action jsonb`);
    await runner.query(
      `comment on column orders.next_action is 'What the customer has to do before a pending order goes on; the link in it is a secret'`,
    );
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
