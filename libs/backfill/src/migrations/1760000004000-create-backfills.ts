/** The checkpoints of the backfills, and who works on them. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateBackfills1760000004000 implements MigrationInterface {
  name = 'CreateBackfills1760000004000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table backfill (
        name text primary key check (name ~ '^[a-z][a-z0-9-]{0,63}$'),
        status text not null default 'idle' check (status in ('idle', 'running', 'paused', 'done', 'failed')),
        runs int not null default 0 check (runs >= 0),
        cursor jsonb check (octet_length(cursor::text) <= 4096),
        worked bigint not null default 0 check (worked >= 0),
        estimate bigint check (estimate >= 0),
        rate_per_second int check (rate_per_second between 1 and 100000),
        failures int not null default 0 check (failures >= 0),
        next_try_at timestamptz not null default now(),
        last_error text check (length(last_error) <= 500),
        lease_token uuid,
        leased_until timestamptz not null default '-infinity',
        started_at timestamptz,
        worked_at timestamptz,
        ended_at timestamptz,
        check (status = 'idle' or runs > 0)
      )`);
    await runner.query(
      `comment on table backfill is 'How far each backfill is; its checkpoint is written in the transaction of the step before it'`,
    );
    await runner.query(
      `comment on column backfill.lease_token is 'Who works on it: each step locks the row and asks for its token first'`,
    );
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
