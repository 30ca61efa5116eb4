/** Sagas and their history. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateSaga1760000001000 implements MigrationInterface {
  name = 'CreateSaga1760000001000';

  async up(runner: QueryRunner): Promise<void> {
    // Room on each page for the new versions of its rows, so that a step rewrites no index.
    await runner.query(`
      create table saga (
        id uuid primary key,
        definition text not null check (length(definition) between 1 and 100),
        definition_version int not null check (definition_version > 0),
        status text not null check (status in ('running', 'compensating', 'completed', 'compensated', 'parked')),
        step text not null check (length(step) between 1 and 100),
        action text not null check (action in ('do', 'undo')),
        attempt int not null check (attempt > 0),
        reason text check (length(reason) <= 100),
        cancel_requested boolean not null default false,
        deadline_at timestamptz,
        data jsonb not null,
        traceparent text not null check (length(traceparent) = 55),
        version int not null check (version > 0),
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now()
      ) with (fillfactor = 50)`);
    await runner.query(
      `comment on table saga is 'One running or ended saga; (step, action, attempt) is the command whose reply it awaits'`,
    );
    // Not on deadline_at: it changes with every step, and then no update could stay on its page.
    await runner.query(`create index saga_open on saga (id) where status in ('running', 'compensating')`);
    await runner.query(`create index saga_parked on saga (id) where status = 'parked'`);
    await runner.query(`
      create table saga_history (
        saga_id uuid not null,
        seq int not null check (seq > 0),
        at timestamptz not null default clock_timestamp(),
        event text not null check (length(event) between 1 and 100),
        step text not null,
        from_position text not null,
        to_position text not null,
        attempt int not null,
        detail jsonb,
        primary key (saga_id, seq)
      )`);
    await runner.query(
      `comment on table saga_history is 'Append-only: one row per transition of a saga; seq is the saga version that it made'`,
    );
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
