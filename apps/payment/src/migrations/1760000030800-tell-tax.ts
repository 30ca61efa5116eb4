/** What the tax service has to be told of invoices and credit notes. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class TellTax1760000030800 implements MigrationInterface {
  name = 'TellTax1760000030800';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table tax_task (
        tenant text not null check (length(tenant) between 1 and 64),
        number text not null check (length(number) between 1 and 64),
        kind text not null check (kind in ('commit', 'refund')),
        invoice text not null check (length(invoice) between 1 and 64),
        currency text not null check (currency ~ '^[A-Z]{3}$'),
        rates jsonb not null check (jsonb_typeof(rates) = 'array'),
        status text not null default 'open' check (status in ('open', 'done', 'parked')),
        attempts integer not null default 0 check (attempts >= 0),
        created_at timestamptz not null default now(),
        open_since timestamptz not null default now(),
        next_at timestamptz not null default now(),
        ended_at timestamptz,
        last_error text check (length(last_error) <= 100),
        primary key (tenant, number),
        check ((status = 'open') = (ended_at is null)),
        check (kind = 'refund' or number = invoice)
      )`);
    await runner.query(
      `comment on table tax_task is 'What the tax service has to be told of an invoice or a credit note, written with it'`,
    );
    await runner.query(`comment on column tax_task.number is 'Of the paper itself, which is told once'`);
    await runner.query(
      `comment on column tax_task.attempts is 'Each is a lease until next_at; whoever finishes names its number'`,
    );
    await runner.query(
      `comment on column tax_task.open_since is 'Since when it is tried without an operator. After some days it is parked'`,
    );
    await runner.query(`create index tax_task_open on tax_task (next_at) where status = 'open'`);
    await runner.query(`create index tax_task_ended on tax_task (ended_at) where status = 'done'`);
    await runner.query(`create index tax_task_status on tax_task (tenant, status, number)`);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
