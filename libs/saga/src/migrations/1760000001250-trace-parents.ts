/** A saga is a span of its trace; whoever ends it writes the span, in any process. So its row knows the parent too. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class TraceParents1760000001250 implements MigrationInterface {
  name = 'TraceParents1760000001250';

  async up(runner: QueryRunner): Promise<void> {
    // Like the other columns of this table, it is made here and checked nowhere (docs/adr/0018).
    await runner.query(`alter table saga add column parent_span text`);
    await runner.query(
      `comment on column saga.parent_span is 'The span that began the saga, which is the span in traceparent; null without tracing'`,
    );
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
