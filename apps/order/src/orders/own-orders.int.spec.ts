/** Whose orders a caller sees and cancels: its own, or as an operator those of its tenant. */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { callersOf } from '@shop/http/testing';
import { openService } from '@shop/service/testing';
import { useStack } from '@shop/testing';
import { type Answer, expectProblem, orderBody, OrderApp, type OrderJson } from '../../testing/order-app';
import { orderService } from '../app';

const stack = useStack();
const { callers, API_KEYS } = callersOf({
  alice: 'acme/alice:customer',
  /** Another key of the same principal. */
  aliceToo: 'acme/alice:customer',
  bob: 'acme/bob:customer',
  olga: 'acme/olga:operator',
  /** The same name in another tenant. */
  stranger: 'rival/alice:customer',
});
let app: OrderApp;

beforeAll(async () => {
  app = new OrderApp(await openService(orderService, stack, { API_KEYS }, { takesMessages: false }), callers.alice);
  await app.putProduct('cup', 1_000, { key: callers.olga });
});
afterAll(() => app.close());

const placedBy = async (key: string): Promise<string> => (await app.place(orderBody(), { key })).json<OrderJson>().id;
const listFor = async (key: string, query = ''): Promise<string[]> => {
  const page = await app.get(`/orders?limit=200${query}`, { key });
  return page.json<{ items: OrderJson[] }>().items.map(({ id }) => id);
};

describe('R54 an order', () => {
  it('R54 is seen by the principal that placed it, with any of its keys, and by operators', async () => {
    const id = await placedBy(callers.alice);
    for (const key of [callers.alice, callers.aliceToo, callers.olga]) {
      expect((await app.get(`/orders/${id}`, { key })).json()).toMatchObject({ id });
      expect((await app.get(`/orders/${id}/saga`, { key })).statusCode).toBe(200);
      expect(await listFor(key)).toContain(id);
    }
  });

  it.each(['bob', 'stranger'] as const)('R54 is not there for anybody else: %s', async (who) => {
    const key = callers[who];
    const id = await placedBy(callers.alice);
    const nowhere = randomUUID();
    const ask = async (of: string): Promise<Answer[]> => [
      await app.get(`/orders/${of}`, { key }),
      await app.get(`/orders/${of}`, { key, headers: { prefer: 'wait=1' } }),
      await app.get(`/orders/${of}`, { key, headers: { 'if-none-match': '"1"' } }),
      await app.get(`/orders/${of}/saga`, { key }),
      await app.get(`/orders/${of}/events`, { key }),
      await app.get(`/orders/${of}/events`, { key, headers: { 'last-event-id': 'place-order/1' } }),
      await app.call('DELETE', `/orders/${of}`, { key }),
      await app.call('DELETE', `/orders/${of}`, { key, headers: { 'if-match': '"1"' } }),
    ];
    const [theirs, none] = [await ask(id), await ask(nowhere)];
    for (const answer of theirs) expectProblem(answer, 404, 'order_not_found');
    expect(theirs.map(({ body }) => body)).toEqual(none.map(({ body }) => body));
    expect(await listFor(key)).not.toContain(id);
    expect((await app.get(`/orders/${id}`)).json()).toMatchObject({ status: 'pending' });
  });

  it('R54 is cancelled by who placed it, and by operators', async () => {
    for (const key of [callers.aliceToo, callers.olga]) {
      const id = await placedBy(callers.alice);
      expect((await app.call('DELETE', `/orders/${id}`, { key })).statusCode).toBe(204);
      expect((await app.get(`/orders/${id}`)).json<OrderJson>().status).toBe('cancelling');
    }
  });

  it('R54 whose placer is not known, as before this was kept, is seen by operators only', async () => {
    const id = await placedBy(callers.alice);
    await app.query('update orders set placed_by = null where id = $1', [id]);
    expectProblem(await app.get(`/orders/${id}`), 404, 'order_not_found');
    expect(await listFor(callers.alice)).not.toContain(id);
    expect((await app.get(`/orders/${id}`, { key: callers.olga })).statusCode).toBe(200);
  });
});

it('R54 the statement in docs/security.md finds who placed an order, and changes no other', async () => {
  const [mine, theirs] = [await placedBy(callers.alice), await placedBy(callers.bob)];
  await app.query('update orders set placed_by = null where id = any($1)', [[mine, theirs]]);
  await app.query(`delete from ledger where answer_headers ->> 'location' = $1`, [`/orders/${theirs}`]);
  const text = await readFile(join(__dirname, '../../../../docs/security.md'), 'utf8');
  await app.query(/^ {4}update orders [^;]*;/m.exec(text)![0]);
  const rows = await app.query('select id, placed_by from orders where id = any($1)', [[mine, theirs]]);
  expect(rows).toEqual(
    expect.arrayContaining([
      { id: mine, placed_by: 'alice' },
      { id: theirs, placed_by: null },
    ]),
  );
});

describe('R54 an id of the client', () => {
  const put = (id: string, key: string, body = orderBody(), headers = {}) =>
    app.put(`/orders/${id}`, body, { key, headers });

  it('R54 that somebody else has taken is taken, whatever is sent with it', async () => {
    const id = randomUUID();
    expect((await put(id, callers.alice)).statusCode).toBe(201);
    const other = orderBody({ customerId: 'carol' });
    const answers = [
      await put(id, callers.bob),
      await put(id, callers.bob, other),
      await put(id, callers.bob, orderBody(), { 'if-none-match': '*' }),
    ];
    // The ledger has forgotten the first request.
    await app.query('delete from ledger');
    answers.push(await put(id, callers.bob), await put(id, callers.bob, other));
    for (const answer of answers) {
      expectProblem(answer, 409, 'order_id_conflict');
      expect(answer.body).toBe(answers[0]!.body);
    }
    const withMatch = await put(id, callers.bob, orderBody(), { 'if-match': '"1"' });
    expectProblem(withMatch, 412, 'precondition_failed');
    expect(withMatch.headers['etag']).toBeUndefined();
    expect((await put(id, callers.alice)).json()).toMatchObject({ id });
    expect((await put(id, callers.olga)).statusCode).toBe(200);
  });

  it('R54 that two take at the same time is that of one of them', async () => {
    for (let count = 0; count < 5; count++) {
      const id = randomUUID();
      const both = [callers.alice, callers.bob];
      const answers = await Promise.all(both.map((key) => put(id, key)));
      expect(answers.map(({ statusCode }) => statusCode).sort()).toEqual([201, 409]);
      const winner = both[answers.findIndex(({ statusCode }) => statusCode === 201)]!;
      expect((await app.get(`/orders/${id}`, { key: winner })).statusCode).toBe(200);
    }
  });
});

it('R54 the list of a principal goes on behind its cursor, which tells nothing of other orders', async () => {
  const mine = [await placedBy(callers.bob), await placedBy(callers.bob), await placedBy(callers.bob)];
  await placedBy(callers.alice);
  const page = await app.get('/orders?limit=2', { key: callers.bob });
  const { items, next } = page.json<{ items: OrderJson[]; next: string }>();
  expect(items.map(({ id }) => id)).toEqual([mine[2], mine[1]]);
  expect((await listFor(callers.bob, `&cursor=${next}`))[0]).toBe(mine[0]);
  expect(await listFor(callers.bob, '&status=pending')).toEqual(expect.arrayContaining(mine));
});
