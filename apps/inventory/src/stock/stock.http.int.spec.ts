/** The inventory service's HTTP side as clients see it: two instances of the whole app on one database. */
import { randomUUID } from 'node:crypto';
import { metricsNow } from '@shop/http/testing';
import { eventually, useStack } from '@shop/testing';
import { callers, expectProblem, InventoryApp, newSku } from '../../testing/inventory-app';

const stack = useStack();
let here: InventoryApp;
let there: InventoryApp;

beforeAll(async () => {
  [here, there] = await Promise.all([InventoryApp.start(stack), InventoryApp.start(stack)]);
});
afterAll(() => Promise.all([here.close(), there.close()]));

describe('R27 PUT /stock/{sku}', () => {
  it('creates stock, and converges when it is repeated', async () => {
    const sku = newSku();
    const created = await here.put(sku, 5);
    expect(created.statusCode).toBe(201);
    expect(created.json()).toEqual({ sku, ...plain(5), version: 1 });
    expect(created.headers['etag']).toBe('"1"');
    const again = await here.put(sku, 5);
    expect([again.statusCode, again.body, again.headers['etag']]).toEqual([200, created.body, '"1"']);
  });

  it('creates once under If-None-Match: *', async () => {
    const sku = newSku();
    const once = { 'if-none-match': '*' };
    expect((await here.put(sku, 5, once)).statusCode).toBe(201);
    const again = await there.put(sku, 5, once);
    expectProblem(again, 412, 'precondition_failed', { currentETag: '"1"' });
    expect(again.headers['etag']).toBe('"1"');
  });

  it.each<[string, Record<string, string>, number]>([
    ['', {}, 200],
    [' under If-None-Match: *', { 'if-none-match': '*' }, 412],
  ])('creates once when ten come at the same time to two instances%s', async (_, headers, other) => {
    const sku = newSku();
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) => (index % 2 ? here : there).put(sku, 5, headers)),
    );
    const expected = [201, ...Array<number>(9).fill(other)].sort();
    expect(answers.map(({ statusCode }) => statusCode).sort()).toEqual(expected);
    expect(await here.movementsOf(sku)).toEqual([5]);
  });

  it('R30 is read at once through the other instance', async () => {
    const sku = newSku();
    const created = await here.put(sku, 5);
    expect((await there.get(sku)).body).toBe(created.body);
    const changed = await there.put(sku, 6, { 'if-match': '"1"' });
    expect((await here.get(sku)).body).toBe(changed.body);
  });

  it('refuses a name that is no SKU', async () => {
    expectProblem(await here.put('a b', 5), 400, 'validation_failed');
  });
});

describe('R28 versions of stock', () => {
  it('changes the version that is named, and writes the difference as a movement', async () => {
    const sku = newSku();
    const { headers } = await here.put(sku, 5);
    const changed = await here.put(sku, 3, { 'if-match': String(headers['etag']) });
    expect(changed.statusCode).toBe(200);
    expect(changed.json()).toMatchObject({ onHand: 3, version: 2 });
    expect(changed.headers['etag']).toBe('"2"');
    expect(await here.movementsOf(sku)).toEqual([5, -2]);
  });

  it('answers 428 to a change without If-Match, and tells the current ETag', async () => {
    const sku = newSku();
    await here.put(sku, 5);
    const answer = await here.put(sku, 3);
    expectProblem(answer, 428, 'precondition_required');
    expect(answer.headers['etag']).toBe('"1"');
  });

  it('answers 412 to a stale If-Match, with the current ETag and the advice to read again', async () => {
    const sku = newSku();
    await here.put(sku, 5);
    await here.put(sku, 4, { 'if-match': '"1"' });
    const answer = await here.put(sku, 3, { 'if-match': '"1"' });
    expectProblem(answer, 412, 'precondition_failed', { currentETag: '"2"', detail: /read it again/ });
    expect(answer.headers['etag']).toBe('"2"');
    expect((await here.get(sku)).json()).toMatchObject({ onHand: 4, version: 2 });
  });

  it.each([
    ['"7", "1"', 200],
    ['*', 200],
    ['W/"1"', 412],
    ['"7"', 412],
    ['1', 400],
    ['"1', 400],
    ['', 400],
    ['"1", 2', 400],
  ])('reads If-Match: %s as %d, where the version is "1"', async (ifMatch, status) => {
    const sku = newSku();
    await here.put(sku, 5);
    const answer = await here.put(sku, 3, { 'if-match': ifMatch });
    expect([answer.statusCode, answer.headers['etag']]).toEqual([status, status === 200 ? '"2"' : '"1"']);
    if (status !== 200) expectProblem(answer, status, status === 412 ? 'precondition_failed' : 'precondition_invalid');
    expect(await here.movementsOf(sku)).toEqual(status === 200 ? [5, -2] : [5]);
  });

  it('answers 412 to If-Match where nothing is', async () => {
    expectProblem(await here.put(newSku(), 3, { 'if-match': '*' }), 412, 'precondition_failed');
  });

  it('lets one of many changes of one version win', async () => {
    const sku = newSku();
    await here.put(sku, 5);
    const answers = await Promise.all(
      [10, 11, 12, 13, 14].map((onHand) => here.put(sku, onHand, { 'if-match': '"1"' })),
    );
    expect(answers.map(({ statusCode }) => statusCode).sort()).toEqual([200, 412, 412, 412, 412]);
    const winner = answers.find(({ statusCode }) => statusCode === 200)!;
    expect((await here.get(sku)).json()).toEqual(winner.json());
  });

  it('answers 304 for a known ETag and the stock for another', async () => {
    const sku = newSku();
    await here.put(sku, 5);
    const known = await here.get(sku, { 'if-none-match': '"1"' });
    expect([known.statusCode, known.body, known.headers['etag']]).toEqual([304, '', '"1"']);
    const other = await here.get(sku, { 'if-none-match': '"7"' });
    expect([other.statusCode, other.json<{ onHand: number }>().onHand]).toEqual([200, 5]);
  });

  it.each(['"7", W/"1"', '*'])('answers 304 to If-None-Match: %s, and to HEAD as to GET', async (ifNoneMatch) => {
    const sku = newSku();
    await here.put(sku, 5);
    for (const method of ['GET', 'HEAD'] as const) {
      const known = await here.call(method, `/stock/${sku}`, { headers: { 'if-none-match': ifNoneMatch } });
      expect([known.statusCode, known.body, known.headers['etag']]).toEqual([304, '', '"1"']);
      const plain = await here.call(method, `/stock/${sku}`, { headers: { 'if-none-match': 'nonsense' } });
      expect([plain.statusCode, plain.headers['etag'], plain.body === '']).toEqual([200, '"1"', method === 'HEAD']);
    }
  });

  it('answers 404 for stock that nobody keeps', async () => {
    expectProblem(await here.get(newSku()), 404, 'stock_not_found');
  });
});

describe('R12 POST /stock/{sku}/adjustments', () => {
  it('changes what is on hand once, and replays the first answer byte for byte', async () => {
    const sku = newSku();
    await here.put(sku, 5);
    const key = randomUUID();
    const first = await here.adjust(sku, { delta: -2, reason: 'broken' }, key);
    expect(first.statusCode).toBe(201);
    expect(first.json()).toEqual({ sku, ...plain(3), version: 2 });
    expect(first.headers).not.toHaveProperty('idempotent-replayed');
    const second = await here.adjust(sku, { reason: 'broken', delta: -2 }, key);
    expect([second.statusCode, second.body]).toEqual([201, first.body]);
    expect(second.headers).toMatchObject({ 'idempotent-replayed': 'true', etag: '"2"' });
    expect(await here.movementsOf(sku)).toEqual([5, -2]);
  });

  it('R16 runs once when twenty come at the same time', async () => {
    const sku = newSku();
    await here.put(sku, 5);
    const key = randomUUID();
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => here.adjust(sku, { delta: 1, reason: 'found' }, key)),
    );
    expect(new Set(answers.map(({ statusCode, body }) => `${statusCode} ${body}`)).size).toBe(1);
    expect(answers.filter(({ headers }) => headers['idempotent-replayed'] === undefined)).toHaveLength(1);
    expect(await here.movementsOf(sku)).toEqual([5, 1]);
  });

  it('loses none of twenty different ones that come at the same time', async () => {
    const sku = newSku();
    await here.put(sku, 5);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => here.adjust(sku, { delta: 1, reason: 'found' })),
    );
    expect(answers.map(({ statusCode }) => statusCode)).toEqual(Array<number>(20).fill(201));
    expect((await here.get(sku)).json()).toMatchObject({ onHand: 25, version: 21 });
  });

  it('R19 refuses to take more than there is, and gives the same refusal again when there is more', async () => {
    const sku = newSku();
    await here.put(sku, 1);
    const key = randomUUID();
    const refusal = await here.adjust(sku, { delta: -2, reason: 'broken' }, key);
    expectProblem(refusal, 409, 'insufficient_stock');
    await here.adjust(sku, { delta: 5, reason: 'found' });
    const again = await here.adjust(sku, { delta: -2, reason: 'broken' }, key);
    expectProblem(again, 409, 'insufficient_stock');
    expect([again.body, again.headers['idempotent-replayed']]).toEqual([refusal.body, 'true']);
  });

  it('does not take what is reserved', async () => {
    const sku = newSku();
    await here.put(sku, 5);
    await here.query(`update stock set reserved = 4 where sku = $1`, [sku]);
    expectProblem(await here.adjust(sku, { delta: -2, reason: 'broken' }), 409, 'insufficient_stock');
    expectProblem(await here.put(sku, 3, { 'if-match': '*' }), 409, 'insufficient_stock');
    expect((await here.adjust(sku, { delta: -1, reason: 'broken' })).json()).toMatchObject({ onHand: 4, available: 0 });
  });

  it('answers 404 for stock that nobody keeps', async () => {
    expectProblem(await here.adjust(newSku(), { delta: 1, reason: 'found' }), 404, 'stock_not_found');
  });

  it('R14 refuses a key that was used for another body, or for another SKU', async () => {
    const [sku, other] = [newSku(), newSku()];
    await here.put(sku, 5);
    await here.put(other, 5);
    const key = randomUUID();
    await here.adjust(sku, { delta: 1, reason: 'found' }, key);
    expectProblem(await here.adjust(sku, { delta: 2, reason: 'found' }, key), 409, 'idempotency_key_reused');
    expectProblem(await here.adjust(other, { delta: 1, reason: 'found' }, key), 409, 'idempotency_key_reused');
    expect(await here.movementsOf(other)).toEqual([5]);
  });

  it.each<[string, Record<string, string>, string]>([
    ['no key', {}, 'idempotency_key_missing'],
    ['a key with a space in it', { 'idempotency-key': 'a b' }, 'idempotency_key_invalid'],
  ])('R13 refuses %s', async (_, headers, code) => {
    const body = { delta: 1, reason: 'found' };
    expectProblem(await here.call('POST', `/stock/${newSku()}/adjustments`, { body, headers }), 400, code);
  });

  it.each([
    ['nothing', { delta: 0, reason: 'x' }],
    ['half a piece', { delta: 0.5, reason: 'x' }],
    ['no reason', { delta: 1 }],
    ['an endless reason', { delta: 1, reason: 'x'.repeat(101) }],
  ])('R19 refuses an adjustment by %s, and the key may be used again', async (_, body) => {
    const sku = newSku();
    await here.put(sku, 5);
    const key = randomUUID();
    expectProblem(await here.adjust(sku, body, key), 400, 'validation_failed');
    expect((await here.adjust(sku, { delta: 1, reason: 'found' }, key)).statusCode).toBe(201);
  });
});

describe('R33 GET /stock', () => {
  it('pages through all stock in order of SKU', async () => {
    const skus = ['a', 'b', 'c', 'd', 'e'].map((letter) => `page-${letter}`);
    for (const sku of skus) await here.put(sku, 1);
    const seen: string[] = [];
    let cursor: string | null = 'page-';
    while (cursor !== null) {
      const page: Page = (await here.call('GET', `/stock?limit=2&cursor=${cursor}`)).json<Page>();
      expect(page.items.length).toBeLessThanOrEqual(2);
      seen.push(...page.items.map(({ sku }) => sku));
      cursor = page.next;
    }
    expect(seen.filter((sku) => sku.startsWith('page-'))).toEqual(skus);
    expect(seen).toEqual([...seen].sort());
  });

  it('ends exactly at the end, also while stock is added before and behind a cursor', async () => {
    const page = async (cursor: string) => {
      const { items, next } = (await there.call('GET', `/stock?limit=2&cursor=${cursor}`)).json<Page>();
      return [items.map(({ sku }) => sku), next];
    };
    for (const sku of ['zz-b', 'zz-d', 'zz-f']) await here.put(sku, 1);
    expect(await page('zz')).toEqual([['zz-b', 'zz-d'], 'zz-d']);
    for (const sku of ['zz-a', 'zz-c', 'zz-h']) await here.put(sku, 1);
    expect(await page('zz-d')).toEqual([['zz-f', 'zz-h'], null]);
    expect(await page('zz-h')).toEqual([[], null]);
  });

  it.each([
    'limit=0',
    'limit=201',
    'limit=-1',
    'limit=1.5',
    'limit=1e1',
    'limit=0x10',
    'limit=%205',
    'limit=',
    'limit=many',
    'limit=1&limit=2',
    'cursor=',
    'cursor=a%20b',
    'cursor=%00',
    'cursor=%E0%A4%A',
    'colour=red',
  ])('refuses %s', async (search) => {
    expectProblem(await here.call('GET', `/stock?${search}`), 400, 'validation_failed');
  });
});

describe('R54 who may do what', () => {
  it.each([
    ['no key', {}],
    ['an unknown key', { authorization: 'Bearer nobody' }],
    ['another scheme', { authorization: `Basic ${callers.operator}` }],
  ])('answers 401 to %s', async (_, headers) => {
    const answer = await here.call('GET', '/stock', { key: null, headers });
    expectProblem(answer, 401, 'unauthenticated');
    expect(answer.headers['www-authenticate']).toBe('Bearer');
  });

  it('lets a customer read but not write', async () => {
    const sku = newSku();
    await here.put(sku, 5);
    expect((await here.call('GET', `/stock/${sku}`, { key: callers.customer })).statusCode).toBe(200);
    expectProblem(
      await here.call('PUT', `/stock/${sku}`, { key: callers.customer, body: { onHand: 9 } }),
      403,
      'forbidden',
    );
    const adjustment = { key: callers.customer, body: { delta: 1, reason: 'x' }, headers: { 'idempotency-key': 'k' } };
    expectProblem(await here.call('POST', `/stock/${sku}/adjustments`, adjustment), 403, 'forbidden');
  });

  it('keeps tenants apart: the same SKU and the same key are others there', async () => {
    const sku = newSku();
    await here.put(sku, 5);
    expectProblem(await here.call('GET', `/stock/${sku}`, { key: callers.rival }), 404, 'stock_not_found');
    expect((await here.call('PUT', `/stock/${sku}`, { key: callers.rival, body: { onHand: 7 } })).statusCode).toBe(201);
    const key = randomUUID();
    await here.adjust(sku, { delta: 1, reason: 'found' }, key);
    const theirs = await here.call('POST', `/stock/${sku}/adjustments`, {
      key: callers.rival,
      body: { delta: 2, reason: 'found' },
      headers: { 'idempotency-key': key },
    });
    expect(theirs.json()).toMatchObject({ onHand: 9 });
    expect((await here.get(sku)).json()).toMatchObject({ onHand: 6 });
    const list = (await here.call('GET', '/stock?limit=200', { key: callers.rival })).json<Page>();
    expect(list.items.map((item) => item.sku)).toEqual([sku]);
  });
});

describe('R29 what cannot be read', () => {
  const json = { 'content-type': 'application/json' };

  it.each([
    ['malformed JSON', '{"onHand": 5', json, 400, 'malformed_request'],
    ['an empty body', '', json, 400, 'malformed_request'],
    ['a list', '[]', json, 400, 'validation_failed'],
    ['no body at all', undefined, {}, 400, 'validation_failed'],
    ['an unknown property', '{"onHand": 5, "onhand": 6}', json, 400, 'validation_failed'],
    ['a number as text', '{"onHand": "5"}', json, 400, 'validation_failed'],
    ['JSON without end', `{"onHand": ${'['.repeat(30_000)}${']'.repeat(30_000)}}`, json, 400, 'body_too_deep'],
    ['a number too large', '{"onHand": 1000000001}', json, 400, 'validation_failed'],
    ['a number that no double can keep', '{"onHand": 1e18}', json, 400, 'json_number_not_exact'],
    ['a body too large', `{"onHand": 5, "x": "${'x'.repeat(65 * 1_024)}"}`, json, 413, 'body_too_large'],
    ['XML', '<onHand>5</onHand>', { 'content-type': 'application/xml' }, 415, 'unsupported_media_type'],
    ['plain text', '{"onHand": 5}', { 'content-type': 'text/plain' }, 415, 'unsupported_media_type'],
  ])('is refused as a problem: %s', async (_, body, headers, status, code) => {
    const sku = newSku();
    expectProblem(await here.call('PUT', `/stock/${sku}`, { body, headers: { ...headers } }), status, code);
    expect((await here.get(sku)).statusCode).toBe(404);
  });

  it('says which property is wrong', async () => {
    const answer = await here.call('PUT', `/stock/${newSku()}`, { body: { onHand: -1 } });
    expectProblem(answer, 400, 'validation_failed', { errors: [{ path: 'onHand', message: /less than 0/ }] });
  });

  it.each([
    ['GET', '/nowhere', 404, 'not_found'],
    ['GET', '/stock/%E0%A4%A', 400, 'malformed_request'],
    ['GET', `/stock/${'x'.repeat(300)}`, 414, 'uri_too_long'],
  ] as const)('answers an address that leads nowhere with a problem: %s %.30s', async (method, url, status, code) => {
    expectProblem(await here.call(method, url), status, code);
  });

  it.each([
    ['PATCH', '/stock/cup', 'GET, HEAD, OPTIONS, PUT'],
    ['DELETE', '/stock/cup', 'GET, HEAD, OPTIONS, PUT'],
    ['POST', '/stock', 'GET, HEAD, OPTIONS'],
    ['GET', '/stock/cup/adjustments?x=1', 'OPTIONS, POST'],
    ['POST', '/health/live', 'GET, HEAD, OPTIONS'],
  ] as const)('answers %s %s with 405 and the methods that are there', async (method, url, allow) => {
    const answer = await here.call(method, url, { body: '{}', headers: { ...json } });
    expectProblem(answer, 405, 'method_not_allowed');
    expect(answer.headers['allow']).toBe(allow);
    const options = await here.call('OPTIONS', url, { key: null });
    expect([options.statusCode, options.body, options.headers['allow']]).toEqual([204, '', allow]);
  });

  it('tells nothing of an error inside: no stack, no query', async () => {
    const sku = newSku();
    await stack.administer('alter table stock rename to hidden');
    try {
      const answer = await here.get(sku);
      expectProblem(answer, 500, 'internal_error');
      expect(answer.body).not.toMatch(/relation|select|stock"|\bat /);
    } finally {
      await stack.administer('alter table hidden rename to stock');
    }
  });
});

describe('what every service shows', () => {
  it('R24 the OpenAPI document lists the routes and their keys', async () => {
    const answer = await here.call('GET', '/openapi.json', { key: null });
    const { paths } = answer.json<{ paths: Record<string, Record<string, { parameters: { name: string }[] }>> }>();
    expect(Object.keys(paths)).toEqual(expect.arrayContaining(['/stock', '/stock/{sku}', '/stock/{sku}/adjustments']));
    expect(Object.keys(paths['/stock/{sku}']!).sort()).toEqual(['get', 'put']);
    const { parameters } = paths['/stock/{sku}/adjustments']!['post']!;
    expect(parameters.map(({ name }) => name)).toContain('Idempotency-Key');
  });

  it('/docs is a page for people', async () => {
    const answer = await here.call('GET', '/docs', { key: null });
    expect(answer.statusCode).toBe(200);
    expect(answer.body).toContain('Inventory service');
  });

  it('R50 /health/live and /health/ready answer without a key', async () => {
    expect((await here.call('GET', '/health/live', { key: null })).json()).toEqual({ status: 'ok' });
    await eventually(async () => {
      const ready = await here.call('GET', '/health/ready', { key: null });
      expect([ready.statusCode, ready.json()]).toEqual([200, { status: 'ok' }]);
    });
  });

  it('R50 the metrics count requests by route, not by address', async () => {
    const sku = newSku();
    await here.put(sku, 5);
    const text = await metricsNow();
    expect(text).toMatch(/http_request_duration_seconds_count\{method="PUT",route="\/stock\/:sku",status="201"\}/);
    expect(text).not.toContain(sku);
  });
});

/** Of a SKU of which nothing is reserved, and for which nothing more is allowed. */
const plain = (onHand: number) => ({
  onHand,
  reserved: 0,
  awaited: 0,
  available: onHand,
  orderable: onHand,
  backorderLimit: 0,
  customerLimit: null,
});

interface Page {
  items: { sku: string }[];
  next: string | null;
}
