/** What follows from an order goes on in its trace, also days later: the rows of the work know it. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class TracesOfWork1760000040350 implements MigrationInterface {
  name = 'TracesOfWork1760000040350';

  async up(runner: QueryRunner): Promise<void> {
    for (const table of ['heard_order', 'notification', 'delivery']) {
      await runner.query(`alter table ${table} add column traceparent text`);
      await runner.query(
        `comment on column ${table}.traceparent is 'The span that this has come from; null without tracing'`,
      );
    }
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
