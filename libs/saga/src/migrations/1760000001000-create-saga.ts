/** Sagas and their history. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateSaga1760000001000 implements MigrationInterface {
  name = 'CreateSaga1760000001000';

  async up(runner: QueryRunner): Promise<void> {
    // `decide` and the definitions limit each value, and no single row of these two tables can be wrong. docs/adr/0018
    // says why the tables do not check them again. The key of the history makes sure that each version of a saga is
    // made once.
    // Each page has room for new versions of its rows, so that a step changes no index.
    await runner.query(`
      create table saga (
        id uuid primary key,
        definition text not null,
        definition_version int not null,
        status text not null,
        step text not null,
        action text not null,
        attempt int not null,
        reason text,
        cancel_requested boolean not null default false,
        deadline_at timestamptz,
        data jsonb not null,
        traceparent text not null,
        version int not null,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        results jsonb not null default '{}'
      ) with (fillfactor = 50)`);
    await runner.query(
      `comment on table saga is 'One running or ended saga; (step, action, attempt) is the command whose reply it awaits'`,
    );
    await runner.query(
      `comment on column saga.results is 'What the replies of the steps that are done have told, by step'`,
    );
    // There is no index on deadline_at. It changes with every step, and then no update could stay on its page.
    await runner.query(`create index saga_open on saga (id) where status in ('running', 'compensating')`);
    // Parked sagas are listed by their tenant, which is in their data. Only a parked saga pays for this index, because
    // the index has no entry for the others.
    await runner.query(`create index saga_parked on saga ((data ->> 'tenant'), id) where status = 'parked'`);
    await runner.query(`
      create table saga_history (
        saga_id uuid not null,
        seq int not null,
        at timestamptz not null default clock_timestamp(),
        event text not null,
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
