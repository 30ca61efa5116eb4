/** Acts on many at once: the set is frozen when the act is made. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateBulkActs1760000005000 implements MigrationInterface {
  name = 'CreateBulkActs1760000005000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table bulk_act (
        id uuid primary key,
        kind text not null check (length(kind) between 1 and 32),
        tenant text not null check (length(tenant) between 1 and 64),
        act text not null check (length(act) between 1 and 32),
        reason text check (length(reason) <= 500),
        filter jsonb not null check (octet_length(filter::text) <= 4000),
        made_by text not null check (length(made_by) between 1 and 64),
        rate_per_second int not null check (rate_per_second between 1 and 10000),
        status text not null default 'running' check (status in ('running', 'stopped', 'done')),
        owes boolean not null default false,
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
        check ((status = 'stopped') = (stopped_by is not null)),
        check (not (owes and status = 'done'))
      )`);
    await runner.query(
      `comment on table bulk_act is 'One act of an operator on many subjects of a kind, carried out by any replica at a stated rate'`,
    );
    await runner.query(
      `comment on column bulk_act.lease_token is 'Who works on it: each step locks the row and asks for its token first'`,
    );
    await runner.query(
      `comment on column bulk_act.owes is 'Some of its rows are owed; one that was stopped is still worked on until none is'`,
    );
    await runner.query(`create index bulk_act_by_creation on bulk_act (kind, tenant, created_at, id)`);
    await runner.query(`create index bulk_act_open on bulk_act (kind, next_try_at) where status = 'running' or owes`);
    await runner.query(`
      create table bulk_act_row (
        act_id uuid not null references bulk_act (id) on delete cascade,
        position int not null check (position > 0),
        subject_id uuid not null,
        subject_version int not null check (subject_version > 0),
        outcome text not null default 'waiting' check (outcome in ('waiting', 'done', 'failed')),
        owed boolean not null default false,
        code text check (length(code) <= 100),
        at timestamptz,
        primary key (act_id, position),
        check ((outcome = 'failed') = (code is not null)),
        check ((outcome = 'waiting') = (at is null)),
        check (not owed or outcome = 'waiting')
      )`);
    await runner.query(
      `comment on table bulk_act_row is 'The frozen set of a bulk act, and what became of each subject in it'`,
    );
    await runner.query(
      `comment on column bulk_act_row.subject_version is 'The version at which the operator saw it; one that has changed since is left alone'`,
    );
    await runner.query(
      `comment on column bulk_act_row.owed is 'The act on it is committed, and is not handed over outside yet; that is done again after a crash'`,
    );
    await runner.query(
      `create index bulk_act_row_waiting on bulk_act_row (act_id, position) where outcome = 'waiting'`,
    );
    await runner.query(`create index bulk_act_row_owed on bulk_act_row (act_id) where owed`);
    // An erasure finds what was written about a subject.
    await runner.query(`create index bulk_act_row_of_subject on bulk_act_row (subject_id)`);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
