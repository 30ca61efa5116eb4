/** Acts on many dead letters as operators ask for them: what was shown in a group is what is acted on. */
import { randomUUID } from 'node:crypto';
import { Module } from '@nestjs/common';
import { bulkMigrations } from '@shop/bulk';
import { createHttpApp, parseApiKeys } from '@shop/http';
import { callersOf, expectProblem, type Method, TestClient } from '@shop/http/testing';
import { ledgerMigrations } from '@shop/idempotency';
import { messagingMigrations } from '@shop/messaging';
import { createLogger } from '@shop/observability';
import { Database } from '@shop/postgres';
import { eventually, useStack } from '@shop/testing';
import { putLetterIn, putLettersIn, type PutLetter } from '../../testing/letters';
import { apiKeyMigrations } from '../api-keys/migrations';
import { ServiceModule } from '../service.module';

const stack = useStack();
const { callers, API_KEYS } = callersOf({
  olga: 'acme/olga:operator+platform',
  owen: 'acme/owen:operator',
  carl: 'acme/carl:customer',
  rita: 'rival/rita:operator',
});
type Who = keyof typeof callers;

let client: TestClient;
let database: Database;

beforeAll(async () => {
  const logger = createLogger({ service: 'test', level: 'silent', format: 'json' });
  const service = ServiceModule.register({
    service: 'test',
    logger,
    database: { everyday: { url: stack.databaseUrl }, migrate: 'start' },
    natsUrl: stack.natsUrl,
    migrations: [...ledgerMigrations, ...messagingMigrations, ...bulkMigrations, ...apiKeyMigrations],
  });
  @Module({ imports: [service] })
  class TestApp {}
  const apiKeys = parseApiKeys(API_KEYS);
  const app = await createHttpApp(TestApp, { title: 'test', description: 'test', logger, apiKeys });
  await app.init();
  await app.getHttpAdapter().getInstance().ready();
  client = new TestClient(app, callers.owen);
  database = app.get(Database);
});
afterAll(() => client.close());
beforeEach(() => client.query('truncate dead_letter, bulk_act cascade'));

interface Group {
  mailbox: string;
  type: string | null;
  error: string;
  count: number;
}
interface Batch {
  id: string;
  status: string;
  count: number;
  done: number;
  failed: number;
}

const ask = (method: Method, path: string, as: Who = 'owen', body?: object, key: string = randomUUID()) =>
  client.call(method, path, { key: callers[as], body, headers: method === 'POST' ? { 'idempotency-key': key } : {} });
const groupsOf = async (as: Who = 'owen') =>
  (await ask('GET', '/dead-letters/groups', as)).json<{ groups: Group[] }>().groups;
interface More {
  as?: Who;
  key?: string;
  act?: string;
  reason?: string;
  ratePerSecond?: number;
  expected?: number;
}
const wish = { act: 'discard', reason: 'sold by telephone', ratePerSecond: 200 };
const make = (filter: object, expected: number, { as, key, ...more }: More = {}) =>
  ask('POST', '/dead-letter-batches', as, { ...wish, filter: { state: 'open', ...filter }, expected, ...more }, key);
const madeOf = async (...asked: Parameters<typeof make>): Promise<Batch> => {
  const answer = await make(...asked);
  expect(answer.statusCode).toBe(201);
  return answer.json<Batch>();
};
const get = async (id: string, as?: Who) => (await ask('GET', `/dead-letter-batches/${id}`, as)).json<Batch>();
const done = (id: string, as?: Who) =>
  eventually(async () => expect(await get(id, as)).toMatchObject({ status: 'done' }), { timeoutMs: 20_000 });
const rowsOf = async (id: string, query = '') =>
  (await ask('GET', `/dead-letter-batches/${id}/rows${query}`)).json<{ items: object[]; next: string | null }>();
const put = (letter: Partial<PutLetter>) => putLetterIn(database, { mailbox: 'cmd.test', ...letter });

describe('R6 R46 an operator', () => {
  it('R6 R46 acts on a whole group: those that are counted are those that are meant', async () => {
    await put({ error: 'Error: no room 1' });
    await put({ error: `Error: no room 22` });
    await put({ error: `Error: no room ${randomUUID()}` });
    await put({ error: 'Error: no room 1', type: 'test.undo.v1' });
    await put({ error: 'Error: no room 1', mailbox: 'reply.test' });
    await put({ error: 'Error: no room', type: null });
    await put({ error: '', type: '' });
    await put({ error: `Error: "no\nroom", ${'x'.repeat(700)}` });
    await put({ error: 'Error: no room 1', tenant: 'rival' });
    await put({ error: 'Error: no room 1', tenant: null });
    const own = await groupsOf();
    expect(own.map(({ count }) => count)).toEqual([3, 1, 1, 1, 1, 1]);
    const all = await groupsOf('olga');
    expect(all.reduce((sum, { count }) => sum + count, 0)).toBe(9);
    for (const [as, groups] of [
      ['olga', all],
      ['owen', own],
    ] as const) {
      for (const { mailbox, type, error, count } of groups) {
        const wrong = await make({ mailbox, type, error }, count + 1, { as });
        expectProblem(wrong, 409, 'set_changed', { count });
      }
    }
    const { mailbox, type, error } = own[0]!;
    const batch = await madeOf({ mailbox, type, error }, 3);
    expect(batch).toMatchObject({ filter: { state: 'open', mailbox, type, error }, madeBy: 'owen', count: 3 });
    await done(batch.id);
    expect(await groupsOf()).toEqual(own.slice(1));
    const { id } = await madeOf({ type: null }, 1);
    await done(id);
    expect((await groupsOf()).map(({ type }) => type)).not.toContain(null);
  });

  it('R6 R46 means those of the tenant; with the role platform also those of no tenant, and only then', async () => {
    await putLettersIn(database, { mailbox: 'cmd.test' }, 2);
    await put({ tenant: null });
    await put({ tenant: 'rival' });
    expectProblem(await make({ mailbox: 'cmd.test' }, 3), 409, 'set_changed', { count: 2 });
    expectProblem(await make({ mailbox: 'cmd.test' }, 3, { as: 'rita' }), 409, 'set_changed', { count: 1 });
    const { id } = await madeOf({ mailbox: 'cmd.test' }, 3, { as: 'olga' });
    await done(id, 'olga');
    const left = await client.query<{ tenant: string }>(`select tenant from dead_letter where state = 'open'`);
    expect(left).toEqual([{ tenant: 'rival' }]);
  });

  it('R6 R46 means those that were given up on long ago, by when each came last', async () => {
    const old = await put({ ageSeconds: 7_200 });
    await put({ ageSeconds: 60 });
    const { id } = await madeOf({ olderThanSeconds: 3_600 }, 1);
    await done(id);
    expect((await rowsOf(id)).items).toEqual([
      { position: 1, deadLetterId: old, outcome: 'done', code: null, at: expect.any(String) as string },
    ]);
  });

  it('R6 R46 is asked for a filter, and for one that can be understood', async () => {
    await put({ error: 'Error: out of luck' });
    expectProblem(await make({}, 1), 400, 'filter_required');
    const wrong = [
      [{ mailbox: null }, {}],
      [{ error: null }, {}],
      [{ olderThanSeconds: null }, {}],
      [{ olderThanSeconds: -1 }, {}],
      [{ state: 'replayed', mailbox: 'cmd.test' }, {}],
      [{ mailbox: 'cmd.test', kind: 'x' }, {}],
      [{ mailbox: 'cmd.test' }, { act: 'retry' }],
      [{ mailbox: 'cmd.test' }, { reason: undefined }],
      [{ mailbox: 'cmd.test' }, { reason: ' ' }],
      [{ mailbox: 'cmd.test' }, { ratePerSecond: 0 }],
      [{ mailbox: 'cmd.test' }, { expected: 0 }],
    ] as const;
    for (const [filter, more] of wrong) expectProblem(await make(filter, 1, more), 400, 'validation_failed');
    expect(await client.query('select from bulk_act')).toEqual([]);
  });

  it('R6 R46 has one batch for one key, watches it, and reads its rows page by page', async () => {
    const ids = await putLettersIn(database, { mailbox: 'cmd.test' }, 3);
    const key = randomUUID();
    const first = await make({ mailbox: 'cmd.test' }, 3, { key });
    const again = await make({ mailbox: 'cmd.test' }, 3, { key });
    expect([again.statusCode, again.body, again.headers['idempotent-replayed']]).toEqual([201, first.body, 'true']);
    const { id } = first.json<Batch>();
    expect(first.headers['location']).toBe(`/dead-letter-batches/${id}`);
    await done(id);
    const { items, next } = await rowsOf(id, '?limit=2&outcome=done');
    const rest = await rowsOf(id, `?limit=2&outcome=done&cursor=${next}`);
    expect([...items, ...rest.items].map((row) => (row as { deadLetterId: string }).deadLetterId)).toEqual(ids);
    expect(rest.next).toBeNull();
    const list = (await ask('GET', '/dead-letter-batches')).json<{ items: Batch[] }>();
    expect(list.items).toEqual([await get(id)]);
    expect(list.items[0]).not.toHaveProperty('tenant');
  });

  it('R6 R46 stops one, and finds none of another tenant', async () => {
    await putLettersIn(database, { mailbox: 'cmd.test' }, 20);
    const { id } = await madeOf({ mailbox: 'cmd.test' }, 20, { ratePerSecond: 1 });
    for (const [method, path] of [
      ['GET', ''],
      ['GET', '/rows'],
      ['DELETE', ''],
    ] as const) {
      const answer = await ask(method, `/dead-letter-batches/${id}${path}`, 'rita');
      expectProblem(answer, 404, 'dead_letter_batch_not_found');
      expectProblem(await ask(method, `/dead-letter-batches/x${path}`), 404, 'dead_letter_batch_not_found');
    }
    expect((await ask('DELETE', `/dead-letter-batches/${id}`)).statusCode).toBe(204);
    expect((await ask('DELETE', `/dead-letter-batches/${id}`)).statusCode).toBe(204);
    expect(await get(id)).toMatchObject({ status: 'stopped', stoppedBy: 'owen' });
    expect((await ask('GET', '/dead-letter-batches', 'carl')).statusCode).toBe(403);
  });

  it('R26 erases why it was made with the customer, and who made it with the tenant', async () => {
    await put({ error: 'Error: carl is unknown' });
    const { id } = await madeOf({ error: 'Error: carl is unknown' }, 1, { reason: 'carl has called' });
    await done(id);
    expect((await ask('POST', '/erasures/customer', 'owen', { customerId: 'carl' })).json()).toMatchObject({
      erased: expect.arrayContaining([expect.objectContaining({ table: 'bulk_act', rows: 1 })]) as object[],
    });
    expect(await get(id)).toMatchObject({ reason: 'erased', filter: { error: 'erased' }, madeBy: 'owen' });
    const texts = `select from dead_letter t where position('carl' in t::text) > 0`;
    expect(await client.query(texts)).toEqual([]);
    expect((await ask('POST', '/erasures/tenant', 'olga', { tenant: 'acme' })).statusCode).toBe(200);
    expect((await ask('GET', `/dead-letter-batches/${id}`)).statusCode).toBe(404);
  });
});
