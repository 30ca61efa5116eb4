/** The catalogue over HTTP through two instances of the whole app on one database. */
import { randomUUID } from 'node:crypto';
import { useStack } from '@shop/testing';
import { callers, expectProblem, OrderApp } from '../../testing/order-app';

const stack = useStack();
const key = callers.operator;
let here: OrderApp;
let there: OrderApp;

beforeAll(async () => {
  // No order is placed here, so nothing goes to the broker that all tests share.
  [here, there] = await Promise.all([OrderApp.start(stack), OrderApp.start(stack)]);
});
afterAll(() => Promise.all([here.close(), there.close()]));

describe('R35 PUT /products/{sku}', () => {
  it('R27 creates a product, and converges when it is repeated', async () => {
    const sku = newSku();
    const created = await here.putProduct(sku, 1_200);
    expect(created.statusCode).toBe(201);
    expect(created.json()).toEqual({
      sku,
      name: `The ${sku}`,
      unitPrice: { amount: 1_200, currency: 'EUR' },
      version: 1,
    });
    const again = await there.putProduct(sku, 1_200);
    expect([again.statusCode, again.body, again.headers['etag']]).toEqual([200, created.body, '"1"']);
  });

  it('R27 creates once under If-None-Match: *', async () => {
    const sku = newSku();
    const once = { key, headers: { 'if-none-match': '*' } };
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) => (index % 2 ? here : there).putProduct(sku, 1_200, once)),
    );
    const losers = answers.filter(({ statusCode }) => statusCode !== 201);
    expect(losers).toHaveLength(9);
    for (const loser of losers) {
      expectProblem(loser, 412, 'precondition_failed');
      expect(loser.headers['etag']).toBe('"1"');
    }
  });

  it('R28 changes the version that is named; 428 without a name, 412 for an old one, with the current ETag', async () => {
    const sku = newSku();
    await here.putProduct(sku, 1_200);
    const changed = await here.putProduct(sku, 1_300, { key, headers: { 'if-match': '"1"' } });
    expect([changed.statusCode, changed.headers['etag']]).toEqual([200, '"2"']);
    const unnamed = await here.putProduct(sku, 1_400);
    expectProblem(unnamed, 428, 'precondition_required');
    const stale = await here.putProduct(sku, 1_400, { key, headers: { 'if-match': '"1"' } });
    expectProblem(stale, 412, 'precondition_failed');
    expect([unnamed.headers['etag'], stale.headers['etag']]).toEqual(['"2"', '"2"']);
    expect((await here.get(`/products/${sku}`)).json()).toMatchObject({ unitPrice: { amount: 1_300 }, version: 2 });
  });

  it('R28 lets one of many changes of one version win, and tells the others the current ETag', async () => {
    for (let round = 0; round < 5; round++) {
      const sku = newSku();
      await here.putProduct(sku, 1);
      const answers = await Promise.all(
        Array.from({ length: 10 }, (_, index) =>
          (index % 2 ? here : there).putProduct(sku, 100 + index, { key, headers: { 'if-match': '"1"' } }),
        ),
      );
      const losers = answers.filter(({ statusCode }) => statusCode === 412);
      expect([losers.length, answers.length - losers.length]).toEqual([9, 1]);
      expect(losers.map(({ headers }) => headers['etag'])).toEqual(Array<string>(9).fill('"2"'));
    }
  });

  it('R28 loses none of many changes of whatever version there is', async () => {
    const sku = newSku();
    await here.putProduct(sku, 1);
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        (index % 2 ? here : there).putProduct(sku, 100 + index, { key, headers: { 'if-match': '*' } }),
      ),
    );
    expect(answers.map(({ statusCode }) => statusCode)).toEqual(Array<number>(10).fill(200));
    expect((await here.get(`/products/${sku}`)).json()).toMatchObject({ version: 11 });
  });

  it('R30 is read at once through the other instance', async () => {
    const sku = newSku();
    const created = await here.putProduct(sku, 1_200);
    expect((await there.get(`/products/${sku}`)).body).toBe(created.body);
    const changed = await there.putProduct(sku, 1_300, { key, headers: { 'if-match': '"1"' } });
    expect((await here.get(`/products/${sku}`)).body).toBe(changed.body);
  });

  it.each([
    ['"7", "1"', 200],
    ['W/"1"', 412],
    ['1', 400],
    ['', 400],
  ])('R28 reads If-Match: %s as %d, where the version is "1"', async (ifMatch, status) => {
    const sku = newSku();
    await here.putProduct(sku, 1);
    const answer = await there.putProduct(sku, 2, { key, headers: { 'if-match': ifMatch } });
    expect([answer.statusCode, answer.headers['etag']]).toEqual([status, status === 200 ? '"2"' : '"1"']);
  });

  it('R28 answers 412 to If-Match where nothing is', async () => {
    expectProblem(
      await here.putProduct(newSku(), 1, { key, headers: { 'if-match': '*' } }),
      412,
      'precondition_failed',
    );
  });

  it.each<[string, object]>([
    ['a negative price', { unitPrice: { amount: -1, currency: 'EUR' } }],
    ['half a cent', { unitPrice: { amount: 0.5, currency: 'EUR' } }],
    ['a currency that is none', { unitPrice: { amount: 1, currency: 'euro' } }],
    ['no price', { unitPrice: undefined }],
    ['no name', { name: '' }],
    ['an unknown property', { colour: 'red' }],
  ])('refuses %s', async (_, changed) => {
    const body = { name: 'Cup', unitPrice: { amount: 1, currency: 'EUR' }, ...changed };
    expectProblem(await here.put(`/products/${newSku()}`, body, { key }), 400, 'validation_failed');
  });

  it('R54 is for operators', async () => {
    expectProblem(await here.putProduct(newSku(), 1, { key: callers.alice }), 403, 'forbidden');
    expectProblem(await here.putProduct(newSku(), 1, { key: null }), 401, 'unauthenticated');
  });
});

describe('GET /products', () => {
  it('R28 answers 304 for a known ETag', async () => {
    const sku = newSku();
    await here.putProduct(sku, 1);
    const known = await there.get(`/products/${sku}`, { headers: { 'if-none-match': '"1"' } });
    expect([known.statusCode, known.body, known.headers['etag']]).toEqual([304, '', '"1"']);
  });

  it('R29 answers 404 for a product that is not there', async () => {
    for (const sku of [newSku(), 'a%20b', '%00']) {
      expectProblem(await here.get(`/products/${sku}`), 404, 'product_not_found');
    }
  });

  it('R33 pages through the catalogue in order of SKU', async () => {
    const skus = ['a', 'b', 'c', 'd', 'e'].map((letter) => `page-${letter}`);
    for (const sku of skus) await here.putProduct(sku, 1);
    const seen: string[] = [];
    let cursor: string | null = 'page-';
    while (cursor !== null) {
      const page: Page = (await here.get(`/products?limit=2&cursor=${cursor}`)).json<Page>();
      expect(page.items.length).toBeLessThanOrEqual(2);
      seen.push(...page.items.map(({ sku }) => sku));
      cursor = page.next;
    }
    expect(seen.filter((sku) => sku.startsWith('page-'))).toEqual(skus);
  });

  it('R33 ends exactly at the end', async () => {
    for (const sku of ['zz-b', 'zz-d', 'zz-f', 'zz-h']) await here.putProduct(sku, 1);
    const page = async (cursor: string) => {
      const { items, next } = (await there.get(`/products?limit=2&cursor=${cursor}`)).json<Page>();
      return [items.map(({ sku }) => sku), next];
    };
    expect(await page('zz')).toEqual([['zz-b', 'zz-d'], 'zz-d']);
    expect(await page('zz-d')).toEqual([['zz-f', 'zz-h'], null]);
    expect(await page('zz-h')).toEqual([[], null]);
  });

  it('R28 lets clients keep a product, and no proxy; they ask each time whether it is still right', async () => {
    const sku = newSku();
    await here.putProduct(sku, 1);
    const read = (etag: string) => here.get(`/products/${sku}`, { headers: { 'if-none-match': etag } });
    const [changed, known] = [await read('"0"'), await read('"1"')];
    for (const { headers } of [changed, known]) {
      expect([headers['cache-control'], headers['etag']]).toEqual(['private, no-cache', '"1"']);
    }
    expect([changed.statusCode, known.statusCode]).toEqual([200, 304]);
    expect((await here.get('/products')).headers['cache-control']).toBe('no-store');
  });

  describe('with q', () => {
    const names = {
      'q-1': 'Espresso CUP',
      'q-2': '100% wool, 5_5 cm, a\\b',
      'q-3': 'Saucer',
      'Q-CUP-4': 'Lid',
      'q-5': 'cupboard',
      'q-6': 'ÄRMEL',
    };
    beforeAll(async () => {
      for (const [sku, name] of Object.entries(names)) {
        const body = { name, unitPrice: { amount: 100, currency: 'EUR' } };
        await here.put(`/products/${sku}`, body, { key });
      }
    });
    const found = async (q: string, rest = '') => {
      const answer = await there.get(`/products?q=${encodeURIComponent(q)}${rest}`);
      const { items, next } = answer.json<Page>();
      return { skus: items.map(({ sku }) => sku), next };
    };

    it.each([
      ['cup', ['Q-CUP-4', 'q-1', 'q-5']],
      ['CuP', ['Q-CUP-4', 'q-1', 'q-5']],
      ['cup 4', []],
      ['ärm', ['q-6']],
      ['%', ['q-2']],
      ['_', ['q-2']],
      ['\\', ['q-2']],
      ['0%', ['q-2']],
      ["'", []],
      ['q-%', []],
    ])('finds %j in names and SKUs: %j', async (q, skus) => {
      expect((await found(q)).skus).toEqual(skus);
    });

    it('R33 pages through what it finds', async () => {
      const first = await found('cup', '&limit=2');
      expect(first).toEqual({ skus: ['Q-CUP-4', 'q-1'], next: 'q-1' });
      expect(await found('cup', `&limit=2&cursor=${first.next}`)).toEqual({ skus: ['q-5'], next: null });
    });

    it('R54 finds nothing of another tenant', async () => {
      expect((await here.get('/products?q=espresso', { key: callers.rival })).json<Page>().items).toEqual([]);
    });
  });

  it.each(['q=', 'q=%00', `q=${'x'.repeat(201)}`])('R29 refuses to look for %s', async (search) => {
    expectProblem(await here.get(`/products?${search}`), 400, 'validation_failed');
  });

  it.each(['limit=0', 'limit=201', 'limit=-1', 'limit=abc', 'limit=1.5', 'cursor=', 'cursor=a%20b', 'cursor=%00'])(
    'R33 refuses %s',
    async (search) => {
      expectProblem(await here.get(`/products?${search}`), 400, 'validation_failed');
    },
  );

  it('R54 keeps tenants apart', async () => {
    const sku = newSku();
    await here.putProduct(sku, 1);
    expectProblem(await here.get(`/products/${sku}`, { key: callers.rival }), 404, 'product_not_found');
    expect((await here.get('/products?limit=200', { key: callers.rival })).json()).toEqual({ items: [], next: null });
    expect((await here.putProduct(sku, 2, { key: callers.rival })).statusCode).toBe(201);
    expect((await here.get(`/products/${sku}`)).json()).toMatchObject({ unitPrice: { amount: 1 } });
  });
});

interface Page {
  items: { sku: string }[];
  next: string | null;
}

function newSku(): string {
  return `sku-${randomUUID()}`;
}
