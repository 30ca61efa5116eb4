/** Acts on many parked sagas at once: the set is frozen when the batch is made. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class SagaBatches1760000001320 implements MigrationInterface {
  name = 'SagaBatches1760000001320';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table saga_batch (
        id uuid primary key,
        tenant text not null check (length(tenant) between 1 and 64),
        act text not null check (act in ('retry', 'skip', 'cancel')),
        reason text check (length(reason) <= 500),
        filter jsonb not null check (octet_length(filter::text) <= 2000),
        made_by text not null check (length(made_by) between 1 and 64),
        rate_per_second int not null check (rate_per_second between 1 and 10000),
        status text not null default 'running' check (status in ('running', 'stopped', 'done')),
        count int not null check (count > 0),
        done int not null default 0 check (done >= 0),
        failed int not null default 0 check (failed >= 0),
        created_at timestamptz not null default now(),
        ended_at timestamptz,
        stopped_by text check (length(stopped_by) between 1 and 64),
        next_try_at timestamptz not null default now(),
        lease_token uuid,
        leased_until timestamptz not null default '-infinity',
        check (done + failed <= count),
        check ((status = 'running') = (ended_at is null)),
        check ((status = 'stopped') = (stopped_by is not null))
      )`);
    await runner.query(
      `comment on table saga_batch is 'One act of an operator on many parked sagas, carried out by any replica at a stated rate'`,
    );
    await runner.query(
      `comment on column saga_batch.lease_token is 'Who works on it: each step locks the row and asks for its token first'`,
    );
    await runner.query(`create index saga_batch_by_creation on saga_batch (tenant, created_at, id)`);
    await runner.query(`create index saga_batch_running on saga_batch (next_try_at) where status = 'running'`);
    await runner.query(`
      create table saga_batch_row (
        batch_id uuid not null references saga_batch (id) on delete cascade,
        position int not null check (position > 0),
        saga_id uuid not null,
        saga_version int not null check (saga_version > 0),
        outcome text not null default 'waiting' check (outcome in ('waiting', 'done', 'failed')),
        code text check (length(code) <= 100),
        at timestamptz,
        primary key (batch_id, position),
        check ((outcome = 'failed') = (code is not null)),
        check ((outcome = 'waiting') = (at is null))
      )`);
    await runner.query(
      `comment on table saga_batch_row is 'The frozen set of a batch, and what became of each saga in it'`,
    );
    await runner.query(
      `comment on column saga_batch_row.saga_version is 'The version at which the operator saw it; a saga that has moved since is left alone'`,
    );
    await runner.query(
      `create index saga_batch_row_waiting on saga_batch_row (batch_id, position) where outcome = 'waiting'`,
    );
    // An erasure finds what was written about a saga.
    await runner.query(`create index saga_batch_row_of_saga on saga_batch_row (saga_id)`);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
