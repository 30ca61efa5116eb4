/** The example in a database of its own, as a test sees it. */
import { createLogger } from '@shop/observability';
import { createDatabase, type Database, migrate } from '@shop/postgres';
import { createTestDatabase } from '@shop/testing';
import { type Backfill, BackfillWorker } from '../src';
import {
  type BackfillRow,
  enterBackfills,
  listBackfills,
  lockBackfill,
  moveBackfill,
} from '../src/backfill.repository';
import { moveOf, type Wish } from '../src/backfill-state';
import { libraryMigrations } from './example-library';

export interface Library {
  url: string;
  database: Database;
  /** A replica that works off what there is when it is told to; nothing runs by itself. */
  replica(backfills: Backfill[], options?: { leaseMs?: number }): BackfillWorker;
  /** As an operator. */
  tell(name: string, wish: Wish & { ratePerSecond?: number }): Promise<BackfillRow>;
  stateOf(name: string): Promise<BackfillRow>;
  /** How often each book was worked on, and how many books. */
  counts(): Promise<{ books: number; marked: number[]; copied: number[] }>;
  /** How many transactions wait for another one. */
  waiting(): Promise<number>;
  query<Row>(text: string, values?: unknown[]): Promise<Row[]>;
  close(): Promise<void>;
}

export async function openLibrary(books: number): Promise<Library> {
  const { url } = await createTestDatabase();
  const database = createDatabase({ url, applicationName: 'test', migrations: libraryMigrations });
  await migrate(database);
  const query = <Row>(text: string, values: unknown[] = []) => database.dataSource.query<Row[]>(text, values);
  await query('insert into book (id) select generate_series(1, $1::int)', [books]);
  await enterBackfills(database, ['copy-books', 'mark-books', 'unlucky']);
  const logger = createLogger({ service: 'library', level: 'silent', format: 'json' });
  const often = async (text: string) => (await query<{ times: number }>(text)).map(({ times }) => Number(times));
  return {
    url,
    database,
    query,
    replica: (backfills, { leaseMs } = {}) => new BackfillWorker({ database, backfills, logger, leaseMs }),
    tell: (name, { ratePerSecond, ...wish }) =>
      database.transaction(async (tx) => {
        const move = moveOf(await lockBackfill(tx, name), wish);
        if (typeof move === 'object') throw new Error(move.refused);
        return moveBackfill(tx, name, move, ratePerSecond);
      }),
    stateOf: async (name) => (await listBackfills(database, { names: [name], after: '', limit: 1 }))[0]!,
    counts: async () => ({
      books,
      marked: await often('select marked as times from book group by marked order by marked'),
      copied: await often(
        `select distinct coalesce(c.times, 0) as times
         from book b left join (select book, count(*) as times from copy group by book) c on c.book = b.id
         order by times`,
      ),
    }),
    waiting: async () =>
      (
        await often(
          `select count(*) as times from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
        )
      )[0]!,
    close: () => database.close(),
  };
}
