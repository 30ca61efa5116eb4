/** Promotions over HTTP through two instances of the whole app on one database. */
import { randomUUID } from 'node:crypto';
import { useStack } from '@shop/testing';
import { callers, expectProblem, OrderApp } from '../../testing/order-app';

const stack = useStack();
const key = callers.operator;
const ten = { kind: 'percent', percent: 10 };
let here: OrderApp;
let there: OrderApp;

beforeAll(async () => {
  // No order is placed here, so nothing goes to the broker that all tests share.
  [here, there] = await Promise.all([OrderApp.start(stack), OrderApp.start(stack)]);
});
afterAll(() => Promise.all([here.close(), there.close()]));

const newCode = () => `P-${randomUUID().toUpperCase()}`;
const put = (app: OrderApp, code: string, body: object, headers?: Record<string, string>) =>
  app.put(`/promotions/${code}`, body, { key, headers });
const remove = (app: OrderApp, code: string, headers?: Record<string, string>) =>
  app.call('DELETE', `/promotions/${code}`, { key, headers });

describe('PUT /promotions/{code}', () => {
  it('R27 creates a promotion, and converges when it is repeated', async () => {
    const code = newCode();
    const body = {
      kind: 'amount',
      amount: { amount: 500, currency: 'EUR' },
      minimum: { amount: 2_000, currency: 'EUR' },
      skus: ['pot', 'cup'],
      startsAt: '2026-01-01T00:00:00+01:00',
      endsAt: '2126-01-01T00:00:00Z',
      maxUses: 100,
      maxUsesPerCustomer: 1,
      combinable: true,
    };
    const created = await put(here, code.toLowerCase(), body);
    expect([created.statusCode, created.headers['etag'], created.json()]).toEqual([
      201,
      '"1"',
      {
        code,
        ...body,
        skus: ['cup', 'pot'],
        startsAt: '2025-12-31T23:00:00.000Z',
        endsAt: '2126-01-01T00:00:00.000Z',
        used: 0,
        version: 1,
      },
    ]);
    const again = await put(there, code, { ...body, skus: ['cup', 'pot'] });
    expect([again.statusCode, again.body, again.headers['etag']]).toEqual([200, created.body, '"1"']);
    expect((await there.get(`/promotions/${code}`, { key })).body).toBe(created.body);
  });

  it('R27 is created once by many at once, and under If-None-Match: * by one of them', async () => {
    const [free, once] = [newCode(), newCode()];
    const apps = Array.from({ length: 10 }, (_, index) => (index % 2 ? here : there));
    const all = await Promise.all(apps.map((app) => put(app, free, ten)));
    expect(all.map(({ statusCode }) => statusCode).sort()).toEqual([...Array<number>(9).fill(200), 201]);
    const answers = await Promise.all(apps.map((app) => put(app, once, ten, { 'if-none-match': '*' })));
    expect(answers.map(({ statusCode }) => statusCode).sort()).toEqual([201, ...Array<number>(9).fill(412)]);
  });

  it('R28 changes the version that is named, forgets terms that are not given any more, and refuses other versions', async () => {
    const code = newCode();
    await put(here, code, { ...ten, maxUses: 5, skus: ['cup'] });
    const changed = await put(there, code, { kind: 'percent', percent: 20 }, { 'if-match': '"1"' });
    expect([changed.statusCode, changed.headers['etag']]).toEqual([200, '"2"']);
    expect(changed.json()).toEqual({ code, kind: 'percent', percent: 20, combinable: false, used: 0, version: 2 });
    expect((await here.get(`/promotions/${code}`, { key })).body).toBe(changed.body);
    expectProblem(await put(here, code, ten), 428, 'precondition_required');
    expectProblem(await put(here, code, ten, { 'if-match': '"1"' }), 412, 'precondition_failed');
    expectProblem(await put(here, newCode(), ten, { 'if-match': '*' }), 412, 'precondition_failed');
  });

  it('R28 lets one of many changes of one version win', async () => {
    const code = newCode();
    await put(here, code, ten);
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        put(index % 2 ? here : there, code, { kind: 'percent', percent: 20 + index }, { 'if-match': '"1"' }),
      ),
    );
    expect(answers.map(({ statusCode }) => statusCode).sort()).toEqual([200, ...Array<number>(9).fill(412)]);
  });

  it.each<[string, object]>([
    ['no kind', { kind: undefined }],
    ['no percentage', { percent: undefined }],
    ['nothing off', { percent: 0 }],
    ['more than all', { percent: 101 }],
    ['both kinds', { amount: { amount: 1, currency: 'EUR' } }],
    ['an amount of nothing', { kind: 'amount', percent: undefined, amount: { amount: 0, currency: 'EUR' } }],
    [
      'two currencies',
      {
        kind: 'amount',
        percent: undefined,
        amount: { amount: 5, currency: 'EUR' },
        minimum: { amount: 5, currency: 'USD' },
      },
    ],
    ['a minimum of nothing', { minimum: { amount: 0, currency: 'EUR' } }],
    ['no product at all', { skus: [] }],
    ['a SKU that is none', { skus: ['a b'] }],
    ['an end before its begin', { startsAt: '2026-02-01T00:00:00Z', endsAt: '2026-01-01T00:00:00Z' }],
    ['a time without a zone', { startsAt: '2026-02-01T00:00:00' }],
    ['a day that is not', { endsAt: '2026-02-30T00:00:00Z' }],
    ['no uses', { maxUses: 0 }],
    ['an unknown property', { secret: true }],
  ])('refuses %s', async (_, changed) => {
    expectProblem(await put(here, newCode(), { ...ten, ...changed }), 400, 'validation_failed');
  });

  it('refuses a code that is none, and has nothing under it', async () => {
    for (const code of ['a_b', 'A'.repeat(41), 'A%20B', '%00']) {
      expectProblem(await put(here, code, ten), 400, 'validation_failed');
      expectProblem(await here.get(`/promotions/${code}`), 404, 'promotion_not_found');
      expect((await remove(here, code)).statusCode).toBe(204);
    }
  });
});

describe('GET /promotions', () => {
  it('R33 pages through all of the tenant, in order of code', async () => {
    for (const letter of ['a', 'b', 'c']) await put(here, `zz-${letter}`, ten);
    const page = (cursor: string) => there.get(`/promotions?limit=2&cursor=${cursor}`, { key });
    expect((await page('ZZ')).json()).toMatchObject({ items: [{ code: 'ZZ-A' }, { code: 'ZZ-B' }], next: 'ZZ-B' });
    expect((await page('ZZ-B')).json()).toMatchObject({ items: [{ code: 'ZZ-C' }], next: null });
    expectProblem(await page('a b'), 400, 'validation_failed');
  });

  it('shows a customer one that runs, and no other', async () => {
    const [running, over, later] = [newCode(), newCode(), newCode()];
    await put(here, running, ten);
    await put(here, over, { ...ten, endsAt: '2020-01-01T00:00:00Z' });
    await put(here, later, { ...ten, startsAt: '2126-01-01T00:00:00Z' });
    expect((await here.get(`/promotions/${running}`)).json()).toMatchObject({ code: running, percent: 10 });
    for (const code of [over, later]) {
      expectProblem(await here.get(`/promotions/${code}`), 404, 'promotion_not_found');
      expect((await here.get(`/promotions/${code}`, { key })).statusCode).toBe(200);
    }
    expectProblem(await here.get('/promotions'), 403, 'forbidden');
    expectProblem(await here.get(`/promotions/${running}`, { key: callers.rival }), 404, 'promotion_not_found');
  });
});

describe('DELETE /promotions/{code}', () => {
  it('R27 deletes it once, and is the same when it is repeated or was never there', async () => {
    const code = newCode();
    await put(here, code, ten);
    expectProblem(await remove(here, code, { 'if-match': '"7"' }), 412, 'precondition_failed');
    expect((await remove(here, code, { 'if-match': '"1"' })).statusCode).toBe(204);
    for (const app of [here, there]) expect((await remove(app, code)).statusCode).toBe(204);
    expectProblem(await there.get(`/promotions/${code}`, { key }), 404, 'promotion_not_found');
    expect((await remove(here, newCode())).statusCode).toBe(204);
    expectProblem(await put(here, code, ten, { 'if-match': '"2"' }), 412, 'precondition_failed');
  });

  it('R28 keeps the version and the uses of a code that comes again, so that no old ETag fits', async () => {
    const code = newCode();
    await put(here, code, ten);
    await here.query('update promotion set used = 3 where code = $1', [code]);
    await remove(here, code);
    const again = await put(there, code, { kind: 'percent', percent: 30 }, { 'if-none-match': '*' });
    expect([again.statusCode, again.headers['etag'], again.json()]).toEqual([
      201,
      '"3"',
      { code, kind: 'percent', percent: 30, combinable: false, used: 3, version: 3 },
    ]);
    expectProblem(await put(here, code, ten, { 'if-match': '"1"' }), 412, 'precondition_failed');
  });
});
