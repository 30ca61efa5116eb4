/** An example to be backfilled: books that are marked, and books that are copied. Either shows what was done twice. */
import type { Database, Statement, Tx } from '@shop/postgres';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { type Backfill, defineBackfill } from '../src/backfill';
import { backfillMigrations } from '../src/migrations';

class CreateBooks1760000090000 implements MigrationInterface {
  name = 'CreateBooks1760000090000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('create table book (id int primary key, marked int not null default 0)');
    await runner.query('create table copy (book int not null)');
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}

export const libraryMigrations = [...backfillMigrations, CreateBooks1760000090000];

/** The pause makes a kill inside a step likely. */
const markBooks: Statement = {
  name: 'library.mark',
  text: `
    with next as (select id from book where id > $1::int order by id limit $2::int),
    changed as (update book b set marked = marked + 1 from next where b.id = next.id returning b.id)
    select coalesce(max(id), 0) as last, count(*) as count, pg_sleep($3::float) is null as slept from changed`,
};
const selectBooks: Statement = {
  name: 'library.select',
  text: 'select id from book where id > $1::int order by id limit $2::int',
};
const insertCopies: Statement = {
  name: 'library.copy',
  text: 'insert into copy (book) select unnest($1::int[])',
};
const countBooks: Statement = { name: 'library.count', text: 'select count(*) as count from book' };

const limits = { batch: 25, ratePerSecond: 2_000 };

/** Of its own table. */
export const marking = (database: Database, { stepSeconds = 0 } = {}): Backfill =>
  defineBackfill<number>({
    name: 'mark-books',
    title: 'Marks each book',
    ...limits,
    estimate: async () => (await database.query<{ count: number }>(countBooks))[0]!.count,
    step: async (tx: Tx, cursor = 0, limit: number) => {
      const [row] = await tx.query<{ last: number; count: number }>(markBooks, [cursor, limit, stepSeconds]);
      return { cursor: row!.last, worked: row!.count, done: row!.count < limit };
    },
  });

/** Of what it reads before, as from another service. */
export const copying = (database: Database): Backfill =>
  defineBackfill<{ behind: number }, { id: number }>({
    name: 'copy-books',
    title: 'Copies each book',
    ...limits,
    read: async (cursor = { behind: 0 }, limit) => {
      const rows = await database.query<{ id: number }>(selectBooks, [cursor.behind, limit]);
      return { rows, cursor: { behind: rows.at(-1)?.id ?? cursor.behind }, done: rows.length < limit };
    },
    step: async (tx, rows) => {
      tx.send(insertCopies, [rows.map(({ id }) => id)]);
    },
  });
