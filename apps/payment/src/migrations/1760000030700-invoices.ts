/** Invoices and credit notes, their numbers, and the orders whose refunds may need a credit note. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Invoices1760000030700 implements MigrationInterface {
  name = 'Invoices1760000030700';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table invoice_series (
        tenant text not null check (length(tenant) between 1 and 64),
        kind text not null check (kind in ('invoice', 'credit_note')),
        year integer not null check (year between 1000 and 9999),
        last integer not null check (last >= 0),
        first_issued integer check (first_issued between 1 and last),
        last_issued_at timestamptz,
        constraint invoice_series_pkey primary key (tenant, kind, year)
      ) with (fillfactor = 50)`);
    await runner.query(
      `comment on table invoice_series is 'The last number of a tenant in a year. Whoever writes an invoice holds its row until the commit, so no number is lost'`,
    );
    await runner.query(
      `comment on column invoice_series.first_issued is 'The first number that was given out here; null while all were brought'`,
    );
    await runner.query(`
      create table invoice (
        tenant text not null check (length(tenant) between 1 and 64),
        number text not null check (number ~ '^(INV|CN)-[1-9][0-9]{3}-[0-9]{4,9}$'),
        kind text not null check (kind in ('invoice', 'credit_note')),
        origin text not null check (origin in ('issued', 'brought')),
        order_id uuid,
        placed_by text check (length(placed_by) <= 255),
        made_by text check (length(made_by) <= 64),
        credits text,
        refund_id text check (length(refund_id) <= 64),
        currency text not null check (currency ~ '^[A-Z]{3}$'),
        lines jsonb not null check (jsonb_typeof(lines) = 'array'),
        rates jsonb not null check (jsonb_typeof(rates) = 'array'),
        gross bigint not null check (gross >= 0),
        net bigint not null check (net >= 0),
        tax bigint not null check (tax >= 0),
        issued_at timestamptz not null,
        version integer not null default 1,
        updated_at timestamptz not null default now(),
        constraint invoice_pkey primary key (tenant, number),
        constraint invoice_credits_fkey foreign key (tenant, credits) references invoice (tenant, number),
        check (net + tax = gross),
        check (origin = 'brought' or order_id is not null),
        check ((kind = 'credit_note') = (credits is not null)),
        check ((kind = 'credit_note') = (refund_id is not null))
      )`);
    await runner.query(
      `create unique index invoice_of_order on invoice (tenant, order_id) where kind = 'invoice' and order_id is not null`,
    );
    await runner.query(
      `create unique index credit_note_of_refund on invoice (tenant, refund_id) where refund_id is not null`,
    );
    await runner.query(
      `create index invoice_by_order on invoice (tenant, order_id, number) where order_id is not null`,
    );
    await runner.query(
      `create index invoice_by_principal on invoice (tenant, placed_by, number) where placed_by is not null`,
    );
    await runner.query(`create index invoice_credits on invoice (tenant, credits) where credits is not null`);
    await runner.query(
      `comment on table invoice is 'Invoices and credit notes. One that was issued here never changes; one that was brought may be replaced'`,
    );
    await runner.query(`comment on column invoice.placed_by is 'Who placed the order; other customers do not see it'`);
    await runner.query(`comment on column invoice.made_by is 'The claim of the request that made it'`);
    await runner.query(`
      create table credit_check (
        tenant text not null check (length(tenant) between 1 and 64),
        order_id uuid not null,
        look_at timestamptz not null default now(),
        attempts integer not null default 0,
        last_error text check (length(last_error) <= 300),
        constraint credit_check_pkey primary key (tenant, order_id)
      )`);
    await runner.query(`create index credit_check_look_at on credit_check (look_at)`);
    await runner.query(
      `comment on table credit_check is 'Orders with a new refund or a new invoice. A look makes the credit notes that are missing, and removes the row'`,
    );
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
