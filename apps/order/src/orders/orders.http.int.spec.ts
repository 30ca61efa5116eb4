/** Orders over HTTP through two instances of the whole app on one database; nobody answers the sagas. */
import { randomUUID } from 'node:crypto';
import type { Stack } from '@shop/stack';
import { eventually, useStack } from '@shop/testing';
import { Client } from 'pg';
import {
  type Answer,
  callers,
  expectProblem,
  OrderApp,
  orderBody,
  type OrderJson,
  startOwnBroker,
} from '../../testing/order-app';

const stack = useStack();
let broker: Stack;
let here: OrderApp;
let there: OrderApp;

beforeAll(async () => {
  broker = await startOwnBroker(stack);
  const urls = { databaseUrl: stack.databaseUrl, natsUrl: broker.natsUrl };
  [here, there] = await Promise.all([OrderApp.start(urls), OrderApp.start(urls)]);
  await here.putProduct('cup', 1_200);
  await here.putProduct('cup', 5, { key: callers.rival });
});
afterAll(async () => {
  await Promise.all([here.close(), there.close()]);
  await broker.stop();
});

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
    expect((await here.put(url, orderBody(), once)).statusCode).toBe(201);
    expectProblem(await here.put(url, orderBody(), once), 412, 'precondition_failed');
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
    // Somebody holds the one in the middle, so that each instance is stopped half-way.
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

    const deadlocks = await deadlocksAfterClosing(here, there);
    const servers = { databaseUrl: stack.databaseUrl, natsUrl: broker.natsUrl };
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
    expect([theirs.statusCode, theirs.json<OrderJson>().total.amount]).toEqual([201, 10]);
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

  it.each([
    ['an order that never was', newUrl()],
    ['an id that is no UUID', '/orders/7'],
  ])('answers 404 to %s', async (_, url) => {
    expectProblem(await here.call('DELETE', url), 404, 'order_not_found');
  });
});

describe('R28 GET /orders/{id}', () => {
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

  it.each(['status=lost', 'cursor=7', 'limit=0', 'limit=201', 'limit=1.5', 'colour=red'])(
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
      attempt: 1,
      deadlineAt: expect.stringMatching(/Z$/) as string,
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
    ['JSON that poisons prototypes', '{"__proto__": {"admin": true}}', {}, 400, 'malformed_request'],
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

  it.each(['/health/live', '/health/ready', '/metrics', '/docs'])('R50 %s answers without a key', async (url) => {
    expect((await here.get(url, { key: null })).statusCode).toBe(200);
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

const statusesOf = (answers: Answer[]): number[] => answers.map(({ statusCode }) => statusCode).sort();

/** A backend reports what it counted before it is gone. */
async function deadlocksAfterClosing(...apps: OrderApp[]): Promise<number> {
  await Promise.all(apps.map((app) => app.close()));
  const client = new Client({ connectionString: stack.adminUrl });
  await client.connect();
  try {
    await eventually(async () => {
      const { rows } = await client.query('select 1 from pg_stat_activity where datname = $1', [stack.databaseName]);
      expect(rows).toEqual([]);
    });
    const { rows } = await client.query<{ deadlocks: number }>(
      'select deadlocks::int from pg_stat_database where datname = $1',
      [stack.databaseName],
    );
    return rows[0]!.deadlocks;
  } finally {
    await client.end();
  }
}
