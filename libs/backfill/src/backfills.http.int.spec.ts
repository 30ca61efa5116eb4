/** Backfills over HTTP, in a whole service. */
import 'reflect-metadata';
import { bulkMigrations } from '@shop/bulk';
import { callersOf, expectProblem, TestClient } from '@shop/http/testing';
import { ledgerMigrations } from '@shop/idempotency';
import { messagingMigrations } from '@shop/messaging';
import { Database } from '@shop/postgres';
import { apiKeyMigrations, defineService, Port, PostgresUrl, ServiceEnvironment } from '@shop/service';
import { openService } from '@shop/service/testing';
import { eventually, useStack } from '@shop/testing';
import { IsOptional } from 'class-validator';
import { copying, libraryMigrations, marking } from '../testing/example-library';
import { BackfillModule } from './index';
import type { BackfillView } from './backfill.view';

class LibraryEnvironment extends ServiceEnvironment {
  @Port() LIBRARY_PORT = 0;
  @PostgresUrl() LIBRARY_DATABASE_URL: string;
  @IsOptional() @PostgresUrl() LIBRARY_MIGRATION_DATABASE_URL?: string;
}

const library = defineService({
  name: 'library',
  title: 'Library service',
  description: 'Books.',
  environment: LibraryEnvironment,
  migrations: [
    ...ledgerMigrations,
    ...messagingMigrations,
    ...bulkMigrations,
    ...apiKeyMigrations,
    ...libraryMigrations,
  ],
  imports: [
    BackfillModule.register({
      inject: [Database],
      useFactory: (database: Database) => [marking(database), copying(database)],
    }),
  ],
});

const { callers, API_KEYS } = callersOf({ platform: 'acme/paul:platform', operator: 'acme/olga:operator' });
const BOOKS = 60;
const FAST = 100_000;

const stack = useStack();
let here: TestClient;
let there: TestClient;
beforeAll(async () => {
  const open = async () =>
    new TestClient(await openService(library, stack, { API_KEYS }, { takesMessages: false }), callers.platform);
  here = await open();
  there = await open();
});
afterAll(() => Promise.all([here, there].map((client) => client.close())));
beforeEach(async () => {
  await here.query('delete from book');
  await here.query('delete from copy');
  await here.query('insert into book (id) select generate_series(1, $1::int)', [BOOKS]);
});

const put = (name: string, body: object, client = here) => client.call('PUT', `/backfills/${name}`, { body });
const get = async (name: string) => (await there.call('GET', `/backfills/${name}`)).json<BackfillView>();
const untilIs = (name: string, state: Partial<BackfillView>) =>
  eventually(async () => expect(await get(name)).toMatchObject(state), { timeoutMs: 20_000 });

describe('backfills over HTTP', () => {
  it('R42 are listed by name with their titles and usual rates, page by page, and run only when they are told to', async () => {
    const first = (await here.call('GET', '/backfills?limit=1')).json<{ items: BackfillView[]; next: string }>();
    expect(first).toMatchObject({ items: [{ name: 'copy-books', status: 'idle', runs: 0 }], next: 'copy-books' });
    const second = (await here.call('GET', `/backfills?cursor=${first.next}`)).json<object>();
    const unrun = { worked: 0, estimate: null, lastError: null, startedAt: null, workedAt: null, endedAt: null };
    const marks = { name: 'mark-books', title: 'Marks each book', status: 'idle', runs: 0, ratePerSecond: 2_000 };
    expect(second).toEqual({ items: [{ ...marks, ...unrun }], next: null });
  });

  it('R42 run in some replica, pause, and go on at another rate', async () => {
    const started = await put('mark-books', { status: 'running', ratePerSecond: 5 });
    expect(started.statusCode).toBe(200);
    expect(started.json()).toMatchObject({ status: 'running', runs: 1, ratePerSecond: 5 });
    await eventually(async () => expect((await get('mark-books')).worked).toBeGreaterThan(0));
    const paused = (await put('mark-books', { status: 'paused' }, there)).json<BackfillView>();
    expect(paused).toMatchObject({ status: 'paused', estimate: BOOKS, ratePerSecond: 5 });
    expect((await put('mark-books', { status: 'paused' })).json()).toEqual(paused);
    expect((await put('mark-books', { status: 'running', ratePerSecond: FAST })).statusCode).toBe(200);
    await untilIs('mark-books', { status: 'done', worked: BOOKS, runs: 1 });
    expect(await here.query('select distinct marked from book')).toEqual([{ marked: 1 }]);
  });

  it('R20 R42 begin once for each run, however often the request is repeated', async () => {
    const wish = { status: 'running', run: 1, ratePerSecond: FAST };
    await Promise.all([here, there, here, there].map((client) => put('copy-books', wish, client)));
    await untilIs('copy-books', { status: 'done', runs: 1 });
    expect((await put('copy-books', wish)).json()).toMatchObject({ status: 'done', runs: 1 });
    expectProblem(await put('copy-books', { status: 'running' }), 409, 'backfill_done');
    expectProblem(await put('copy-books', { status: 'running', run: 3 }), 409, 'backfill_run_unknown');
    expectProblem(await put('copy-books', { status: 'paused' }), 409, 'backfill_not_running');
    await put('copy-books', { ...wish, run: 2 });
    await untilIs('copy-books', { status: 'done', runs: 2 });
    expect(await here.query('select count(*)::int as times from copy group by book limit 1')).toEqual([{ times: 2 }]);
  });

  it('R42 are known by their names only, and refuse what makes no sense', async () => {
    expectProblem(await here.call('GET', '/backfills/lost'), 404, 'backfill_not_found');
    expectProblem(await put('lost', { status: 'running' }), 404, 'backfill_not_found');
    for (const body of [{}, { status: 'done' }, { status: 'running', ratePerSecond: 0 }, { status: 'running', run: 0 }])
      expectProblem(await put('copy-books', body), 400, 'validation_failed');
  });

  it('R54 are for the role platform only', async () => {
    const call = { key: callers.operator, body: { status: 'running' } };
    expectProblem(await here.call('GET', '/backfills', call), 403, 'forbidden');
    expectProblem(await here.call('GET', '/backfills/copy-books', call), 403, 'forbidden');
    expectProblem(await here.call('PUT', '/backfills/copy-books', call), 403, 'forbidden');
  });
});
