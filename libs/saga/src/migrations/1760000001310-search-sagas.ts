/** Operators find sagas that have ended, and why one is parked is in its row. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class SearchSagas1760000001310 implements MigrationInterface {
  name = 'SearchSagas1760000001310';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`alter table saga add column parked_reason text`);
    await runner.query(
      `comment on column saga.parked_reason is 'Why it is parked: a stable code; null when it is not'`,
    );
    await runner.query(`
      update saga s set parked_reason = (
        select h.detail ->> 'parked' from saga_history h
        where h.saga_id = s.id and h.detail ? 'parked' order by h.seq desc limit 1)
      where status = 'parked'`);
    // A saga gets its entry when it ends. That move changes the indexes of its row anyway, so it costs this one entry, at
    // the newest end of the index, and no step before the end pays for it.
    await runner.query(`
      create index saga_ended on saga ((data ->> 'tenant'), created_at, id) where status in ('completed', 'compensated')`);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
