/** Orders over HTTP through two instances of the whole app on one database. Nobody answers the sagas. */
import { randomUUID } from 'node:crypto';
import { eventually, useStack } from '@shop/testing';
import { Client } from 'pg';
import {
  type Answer,
  callers,
  deadlocksAfterClosing,
  expectProblem,
  OrderApp,
  orderBody,
  type OrderJson,
  type TwoOrderApps,
} from '../../testing/order-app';

const stack = useStack();
let here: OrderApp;
let there: OrderApp;
let natsUrl: string;
let close: TwoOrderApps['close'];

beforeAll(async () => {
  ({ here, there, natsUrl, close } = await OrderApp.startTwo(stack));
  await here.putProduct('cup', 1_200);
  await here.putProduct('cup', 500, { key: callers.rival });
});
afterAll(() => close(here, there));

describe('R27 PUT /orders/{id}', () => {
  it('places an order under the client’s id, and converges when it is repeated', async () => {
    const url = newUrl();
    const created = await here.put(url, orderBody());
    expect(created.statusCode).toBe(201);
    expect(created.json()).toMatchObject({ id: idOf(url), status: 'pending', total: { amount: 2_400 } });
    expect(created.headers).toMatchObject({ location: url, etag: '"1"' });
    const again = await there.put(url, orderBody());
    expect([again.statusCode, again.json(), again.headers['etag']]).toEqual([200, created.json(), '"1"']);
  });

  it('R30 is read at once through the other instance', async () => {
    const url = newUrl();
    const created = await here.put(url, orderBody());
    expect((await there.get(url)).body).toBe(created.body);
    await here.call('DELETE', url);
    expect((await there.get(url)).json()).toMatchObject({ status: 'cancelling' });
  });

  it('answers a repeat with the order as it is by then', async () => {
    const url = newUrl();
    await here.put(url, orderBody());
    await here.call('DELETE', url);
    const again = await here.put(url, orderBody());
    expect([again.statusCode, again.json<OrderJson>().status]).toEqual([200, 'cancelling']);
  });

  it('refuses another order under the same id', async () => {
    const url = newUrl();
    await here.put(url, orderBody());
    expectProblem(await there.put(url, orderBody({ customerId: 'eve' })), 409, 'order_id_conflict');
    expect((await here.put(url, orderBody())).statusCode).toBe(200);
  });

  it('creates once under If-None-Match: *', async () => {
    const url = newUrl();
    const once = { headers: { 'if-none-match': '*' } };
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) => (index % 2 ? here : there).put(url, orderBody(), once)),
    );
    expect(statusesOf(answers)).toEqual([201, ...Array<number>(9).fill(412)]);
    for (const body of [orderBody(), orderBody({ customerId: 'eve' })]) {
      const late = await there.put(url, body, once);
      expectProblem(late, 412, 'precondition_failed');
      expect(late.headers['etag']).toBe('"1"');
    }
  });

  it.each<[string, Record<string, string>, number]>([
    ['the tag it has', { 'if-match': '"1"' }, 200],
    ['another tag', { 'if-match': '"2"' }, 412],
    ['a weak tag', { 'if-match': 'W/"1"' }, 412],
    ['no tag at all', { 'if-match': '1' }, 400],
    ['none of another tag', { 'if-none-match': '"2"' }, 200],
    ['none of the tag it has', { 'if-none-match': 'W/"1"' }, 412],
  ])('R28 keeps to what the client asks of an order that is there: %s', async (_, headers, status) => {
    const url = await placedByPut();
    expect((await there.put(url, orderBody(), { headers })).statusCode).toBe(status);
  });

  it('R28 places nothing under If-Match', async () => {
    const url = newUrl();
    const answer = await here.put(url, orderBody(), { headers: { 'if-match': '*' } });
    expectProblem(answer, 412, 'precondition_failed');
    expectProblem(await here.get(url), 404, 'order_not_found');
  });

  it('R29 refuses an id that is no UUID', async () => {
    expectProblem(await here.put('/orders/7', orderBody()), 400, 'validation_failed');
  });

  it('takes an id for the same in capital letters', async () => {
    const url = newUrl();
    await here.put(url, orderBody());
    expect((await here.put(`/orders/${idOf(url).toUpperCase()}`, orderBody())).statusCode).toBe(200);
  });

  it('R16 places one order when twenty equal ones come at once to two instances', async () => {
    const url = newUrl();
    const before = await here.counts();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => (index % 2 ? here : there).put(url, orderBody())),
    );
    expect(statusesOf(answers)).toEqual([...Array<number>(19).fill(200), 201]);
    const { orders, sagas } = await here.counts();
    expect([orders - before.orders, sagas - before.sagas]).toEqual([1, 1]);
  });

  it('R16 places one of two different ones that come at once, and tells the other of the conflict', async () => {
    for (let round = 0; round < 10; round++) {
      const url = newUrl();
      const answers = await Promise.all([here.put(url, orderBody()), there.put(url, orderBody({ customerId: 'eve' }))]);
      expect(statusesOf(answers)).toEqual([201, 409]);
      const winner = answers.find(({ statusCode }) => statusCode === 201)!;
      expect((await here.get(url)).json()).toEqual(winner.json());
    }
  });

  it('never deadlocks when two instances get the same ids in opposite orders', async () => {
    const urls = Array.from({ length: 3 }, newUrl).sort();
    const client = new Client({ connectionString: stack.databaseUrl });
    await client.connect();
    // Another connection holds the middle order, so each instance stops half-way.
    await client.query('begin');
    await client.query(
      `insert into orders (tenant, id, customer_id, items, total_amount, total_currency, status, request_hash, saga_id)
       values ('acme', $1, 'eve', '[]', 0, 'EUR', 'pending', sha256('eve'), gen_random_uuid())`,
      [idOf(urls[1]!)],
    );
    const answering = Promise.all([
      ...urls.map((url) => here.put(url, orderBody())),
      ...urls.toReversed().map((url) => there.put(url, orderBody())),
    ]);
    await eventually(async () => {
      const { rows } = await client.query(
        `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      expect(rows).toHaveLength(2);
    });
    await client.query('rollback');
    await client.end();
    expect(statusesOf(await answering)).toEqual([200, 200, 200, 201, 201, 201]);

    const deadlocks = await deadlocksAfterClosing(stack, here, there);
    const servers = { databaseUrl: stack.databaseUrl, natsUrl };
    [here, there] = await Promise.all([OrderApp.start(servers), OrderApp.start(servers)]);
    expect(deadlocks).toBe(0);
  });

  it('leaves an id free that was refused: the same request may come again, and so may another', async () => {
    const [url, other] = [newUrl(), newUrl()];
    const sku = `new-${randomUUID()}`;
    const unknown = orderBody({ items: [{ sku, quantity: 1 }] });
    expectProblem(await here.put(url, unknown), 422, 'unknown_sku');
    expectProblem(await here.put(other, unknown), 422, 'unknown_sku');
    expect((await here.put(other, orderBody())).statusCode).toBe(201);
    await here.putProduct(sku, 100);
    expect((await there.put(url, unknown)).statusCode).toBe(201);
  });

  it('R20 still knows its order after the ledger has forgotten the request', async () => {
    const url = newUrl();
    await here.put(url, orderBody());
    await here.query('delete from ledger where key = $1', [idOf(url)]);
    expectProblem(await here.put(url, orderBody({ customerId: 'eve' })), 409, 'order_id_conflict');
    expect((await here.put(url, orderBody())).statusCode).toBe(200);
    expectProblem(await here.put(url, orderBody({ customerId: 'eve' })), 409, 'order_id_conflict');
  });

  it('keeps tenants apart: the same id is another order there', async () => {
    const url = newUrl();
    const ours = await here.put(url, orderBody());
    const theirs = await here.put(url, orderBody(), { key: callers.rival });
    expect([theirs.statusCode, theirs.json<OrderJson>().total.amount]).toEqual([201, 1_000]);
    expect((await here.get(url)).json()).toEqual(ours.json());
  });

  it('refuses a body that is no order', async () => {
    expectProblem(await here.put(newUrl(), orderBody({ items: [] })), 400, 'validation_failed');
  });
});

describe('R27 DELETE /orders/{id}', () => {
  it('answers 204 the first time and every time after, and turns the saga back once', async () => {
    const url = await placed();
    for (const app of [here, there, here]) {
      const answer = await app.call('DELETE', url);
      expect([answer.statusCode, answer.body]).toEqual([204, '']);
    }
    const order = (await here.get(url)).json<OrderJson>();
    expect(order).toMatchObject({ status: 'cancelling', reason: 'cancelled_by_client' });
    const saga = (await here.get(`${url}/saga`)).json<SagaJson>();
    expect(saga.history.map(({ event }) => event)).toEqual(['started', 'cancel.requested']);
  });

  it('answers 204 to all of ten that come at once to two instances', async () => {
    const url = await placed();
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) => (index % 2 ? here : there).call('DELETE', url)),
    );
    expect(statusesOf(answers)).toEqual(Array<number>(10).fill(204));
    expect((await here.get(`${url}/saga`)).json<SagaJson>().history).toHaveLength(2);
  });

  it('R28 cancels no other version than the one named by If-Match, and is done when it was done before', async () => {
    const url = await placed();
    const cancel = (ifMatch: string) => there.call('DELETE', url, { headers: { 'if-match': ifMatch } });
    const stale = await cancel('"7"');
    expectProblem(stale, 412, 'precondition_failed');
    expect([stale.headers['etag'], (await here.get(url)).json<OrderJson>().status]).toEqual(['"1"', 'pending']);
    expect([(await cancel('"1"')).statusCode, (await cancel('"1"')).statusCode]).toEqual([204, 204]);
  });

  it('takes the type of JSON without any', async () => {
    const headers = { 'content-type': 'application/json' };
    expect((await here.call('DELETE', await placed(), { headers })).statusCode).toBe(204);
  });

  it.each([
    ['an order that never was', newUrl()],
    ['an id that is no UUID', '/orders/7'],
  ])('answers 404 to %s', async (_, url) => {
    expectProblem(await here.call('DELETE', url), 404, 'order_not_found');
  });
});

describe('R27 R29 other methods', () => {
  it.each([
    ['PATCH', '/orders/7', 'DELETE, GET, HEAD, OPTIONS, PUT'],
    ['POST', '/orders/7', 'DELETE, GET, HEAD, OPTIONS, PUT'],
    ['DELETE', '/orders', 'GET, HEAD, OPTIONS, POST'],
    ['PUT', '/orders/7/events', 'GET, HEAD, OPTIONS'],
    ['PATCH', '/products/cup', 'GET, HEAD, OPTIONS, PUT'],
  ] as const)('than those of the address are answered with 405: %s %s', async (method, url, allow) => {
    const answer = await here.call(method, url, { body: {} });
    expectProblem(answer, 405, 'method_not_allowed');
    const options = await here.call('OPTIONS', url, { key: null });
    expect([answer.headers['allow'], options.statusCode, options.headers['allow']]).toEqual([allow, 204, allow]);
  });

  it.each([
    ['GET', '/baskets/7', 404, 'not_found'],
    ['GET', '/orders/%E0%A4%A', 400, 'malformed_request'],
    ['GET', `/orders/${'7'.repeat(300)}`, 414, 'uri_too_long'],
  ] as const)('at an address that leads nowhere are refused too: %s %.20s', async (method, url, status, code) => {
    expectProblem(await here.call(method, url), status, code);
  });
});

describe('R28 GET /orders/{id}', () => {
  it.each(['GET', 'HEAD'] as const)('has the ETag in each answer to %s', async (method) => {
    const url = await placed();
    const plain = await there.call(method, url);
    expect([plain.statusCode, plain.headers['etag'], plain.body === '']).toEqual([200, '"1"', method === 'HEAD']);
    const known = await there.call(method, url, { headers: { 'if-none-match': '"7", W/"1"' } });
    expect([known.statusCode, known.headers['etag'], known.body]).toEqual([304, '"1"', '']);
  });

  it('answers 304 for a known ETag, and the order when it has moved', async () => {
    const url = await placed();
    const { headers } = await here.get(url);
    const known = { headers: { 'if-none-match': String(headers['etag']) } };
    const unchanged = await there.get(url, known);
    expect([unchanged.statusCode, unchanged.body, unchanged.headers['etag']]).toEqual([304, '', headers['etag']]);
    await here.call('DELETE', url);
    const changed = await there.get(url, known);
    expect([changed.statusCode, changed.headers['etag']]).toEqual([200, '"2"']);
  });
});

describe('R33 GET /orders', () => {
  it('pages newest first, each order once, also while new ones are placed', async () => {
    const key = callers.rival;
    const ids: string[] = [];
    for (let n = 0; n < 5; n++) ids.unshift((await here.place(orderBody(), { key })).json<OrderJson>().id);
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page: Page = (await here.get(`/orders?limit=2${cursor ? `&cursor=${cursor}` : ''}`, { key })).json<Page>();
      expect(page.items.length).toBeLessThanOrEqual(2);
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.next;
      await here.place(orderBody(), { key });
    } while (cursor !== null);
    expect(seen.filter((id) => ids.includes(id))).toEqual(ids);
    expect(new Set(seen).size).toBe(seen.length);
  });

  it('ends exactly at the end', async () => {
    const key = callers.rival;
    const all = (await here.get('/orders?limit=200', { key })).json<Page>();
    expect(all.next).toBeNull();
    const full = (await here.get(`/orders?limit=${all.items.length}`, { key })).json<Page>();
    expect([full.items, full.next]).toEqual([all.items, null]);
    const most = (await here.get(`/orders?limit=${all.items.length - 1}`, { key })).json<Page>();
    expect(most.next).toBe(all.items.at(-2)!.id);
    const rest = (await here.get(`/orders?cursor=${most.next}`, { key })).json<Page>();
    expect([rest.items, rest.next]).toEqual([[all.items.at(-1)], null]);
    const none = (await here.get(`/orders?cursor=${rest.items[0]!.id}`, { key })).json<Page>();
    expect(none).toEqual({ items: [], next: null });
  });

  it('filters by status', async () => {
    const key = callers.rival;
    const [kept, cancelled] = [await placed(key), await placed(key)];
    await here.call('DELETE', cancelled, { key });
    const idsOf = async (status: string) =>
      (await here.get(`/orders?limit=200&status=${status}`, { key })).json<Page>().items.map(({ id }) => id);
    const [pending, cancelling] = [await idsOf('pending'), await idsOf('cancelling')];
    expect([pending.includes(idOf(kept)), pending.includes(idOf(cancelled))]).toEqual([true, false]);
    expect([cancelling.includes(idOf(kept)), cancelling.includes(idOf(cancelled))]).toEqual([false, true]);
    expect(await idsOf('confirmed')).toEqual([]);
  });

  it.each(['status=lost', 'cursor=7', 'limit=0', 'limit=201', 'limit=-1', 'limit=abc', 'limit=1.5', 'colour=red'])(
    'refuses %s',
    async (search) => {
      expectProblem(await here.get(`/orders?${search}`), 400, 'validation_failed');
    },
  );

  it('shows the orders of one’s own tenant only', async () => {
    const url = await placed();
    const list = (await here.get('/orders?limit=200', { key: callers.rival })).json<Page>();
    expect(list.items.map(({ id }) => id)).not.toContain(idOf(url));
  });
});

describe('R54 the order of another tenant', () => {
  it.each([
    ['GET', ''],
    ['GET', '/saga'],
    ['GET', '/events'],
    ['DELETE', ''],
  ] as const)('is not there: %s /orders/{id}%s', async (method, path) => {
    const url = await placed();
    expectProblem(await here.call(method, `${url}${path}`, { key: callers.rival }), 404, 'order_not_found');
    expectProblem(await here.call(method, `${url}${path}`, { key: null }), 401, 'unauthenticated');
    expect((await here.get(url)).json<OrderJson>().status).toBe('pending');
  });
});

describe('R7 GET /orders/{id}/saga', () => {
  it('shows where the saga stands and how it got there', async () => {
    const url = await placed();
    expect((await there.get(`${url}/saga`)).json()).toEqual({
      id: idOf(url),
      definition: 'place-order',
      version: 1,
      status: 'running',
      step: 'reserve',
      action: 'do',
      attempt: 1,
      deadlineAt: expect.stringMatching(/Z$/) as string,
      held: null,
      history: [
        {
          seq: 1,
          at: expect.stringMatching(/Z$/) as string,
          event: 'started',
          step: 'reserve',
          from: 'new',
          to: 'reserve.do',
          attempt: 1,
        },
      ],
    });
  });
});

describe('R29 what cannot be read', () => {
  it.each<[string, string, Record<string, string>, number, string]>([
    ['malformed JSON', '{"customerId": ', {}, 400, 'malformed_request'],
    ['a body too large', JSON.stringify({ x: 'x'.repeat(65 * 1_024) }), {}, 413, 'body_too_large'],
    ['XML', '<order/>', { 'content-type': 'application/xml' }, 415, 'unsupported_media_type'],
    ['JSON without end', `{"items": ${'['.repeat(9_000)}${']'.repeat(9_000)}}`, {}, 400, 'body_too_deep'],
    ['JSON that poisons prototypes', '{"__proto__": {"admin": true}}', {}, 400, 'json_key_forbidden'],
  ])('is refused as a problem: %s', async (_, body, headers, status, code) => {
    expectProblem(await here.place(body, { headers }), status, code);
  });

  it('R24 the OpenAPI document lists the routes and the key that POST needs', async () => {
    const { paths } = (await here.get('/openapi.json', { key: null })).json<OpenApi>();
    expect(Object.keys(paths['/orders/{id}']!).sort()).toEqual(['delete', 'get', 'put']);
    expect(paths['/orders']!['post']!.parameters).toContainEqual(
      expect.objectContaining({ name: 'Idempotency-Key', in: 'header', required: true }),
    );
    expect(Object.keys(paths)).toEqual(
      expect.arrayContaining(['/orders/{id}/saga', '/orders/{id}/events', '/products/{sku}']),
    );
  });

  it.each(['/health/live', '/health/ready', '/docs'])('R50 %s answers without a key', async (url) => {
    await eventually(async () => expect((await here.get(url, { key: null })).statusCode).toBe(200));
  });
});

interface Page {
  items: OrderJson[];
  next: string | null;
}

interface SagaJson {
  history: { event: string }[];
}

interface OpenApi {
  paths: Record<string, Record<string, { parameters: unknown[] }>>;
}

function newUrl(): string {
  return `/orders/${randomUUID()}`;
}

const idOf = (url: string): string => url.slice('/orders/'.length);

async function placed(key: string = callers.alice): Promise<string> {
  return String((await here.place(orderBody(), { key })).headers['location']);
}

async function placedByPut(): Promise<string> {
  const url = newUrl();
  expect((await here.put(url, orderBody())).statusCode).toBe(201);
  return url;
}

const statusesOf = (answers: Answer[]): number[] => answers.map(({ statusCode }) => statusCode).sort();
