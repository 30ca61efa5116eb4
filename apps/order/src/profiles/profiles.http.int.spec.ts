/** Profiles over HTTP through two instances of the whole app on one database. */
import { randomUUID } from 'node:crypto';
import { useStack } from '@shop/testing';
import { type Answer, callers, expectProblem, OrderApp } from '../../testing/order-app';

const stack = useStack();
let here: OrderApp;
let there: OrderApp;

beforeAll(async () => {
  // No order is placed here, so nothing goes to the broker that all tests share.
  [here, there] = await Promise.all([OrderApp.start(stack), OrderApp.start(stack)]);
});
afterAll(() => Promise.all([here.close(), there.close()]));

const profile = { displayName: 'Alice', email: 'alice@example.com', locale: 'en-GB' };
const address = { line1: '1 Main Street', postalCode: '10115', city: 'Berlin', country: 'DE' };
const newId = () => `c-${randomUUID()}`;
const pathOf = (id: string) => `/profiles/${encodeURIComponent(id)}`;

const put = (id: string, changed: object = {}, headers: Record<string, string> = {}, app = here) =>
  app.put(pathOf(id), { ...profile, ...changed }, { headers });
const patch = (id: string, body: object | string, headers: Record<string, string> = {}, app = here) =>
  app.call('PATCH', pathOf(id), { body, headers: { 'if-match': '"1"', ...headers } });
const both = <T>(work: (app: OrderApp, index: number) => Promise<T>, count = 10) =>
  Promise.all(Array.from({ length: count }, (_, index) => work(index % 2 ? here : there, index)));

/** All but one of them are refused, and told the version that is there. */
function expectOneWinner(answers: readonly Answer[], status: number, etag: string): void {
  const losers = answers.filter(({ statusCode }) => statusCode !== status);
  expect(losers).toHaveLength(answers.length - 1);
  for (const loser of losers) {
    expectProblem(loser, 412, 'precondition_failed');
    expect(loser.headers['etag']).toBe(etag);
  }
}

describe('R35 PUT /profiles/{id}', () => {
  it('R27 makes a profile, and converges when it is repeated', async () => {
    const id = newId();
    const made = await put(id, { phone: '+4930123456', address });
    expect([made.statusCode, made.headers['etag']]).toEqual([201, '"1"']);
    expect(made.json()).toEqual({ id, ...profile, phone: '+4930123456', address, version: 1 });
    const reversed = Object.fromEntries(Object.entries(address).reverse());
    const again = await put(id, { phone: '+4930123456', address: reversed }, {}, there);
    expect([again.statusCode, again.body, again.headers['etag']]).toEqual([200, made.body, '"1"']);
    const read = await there.get(pathOf(id));
    expect([read.body, read.headers['etag']]).toEqual([made.body, '"1"']);
  });

  it('R27 makes it once, of many at the same time', async () => {
    const id = newId();
    const equal = await both((app) => put(id, {}, {}, app));
    expect(equal.map(({ statusCode }) => statusCode).sort()).toEqual([...Array<number>(9).fill(200), 201]);
    const other = newId();
    const different = await both((app, index) =>
      put(other, { displayName: `A${index}` }, { 'if-none-match': '*' }, app),
    );
    expectOneWinner(different, 201, '"1"');
  });

  it('R28 changes the version that is named; 428 without a name, 412 for an old one, with the current ETag', async () => {
    const id = newId();
    await put(id, { phone: '+4930123456', address });
    const changed = await put(id, {}, { 'if-match': '"1"' });
    expect([changed.statusCode, changed.headers['etag']]).toEqual([200, '"2"']);
    expect((await there.get(pathOf(id))).json()).toEqual({ id, ...profile, version: 2 });
    const [unnamed, stale] = [await put(id, { locale: 'de' }), await put(id, { locale: 'de' }, { 'if-match': '"1"' })];
    expectProblem(unnamed, 428, 'precondition_required');
    expectProblem(stale, 412, 'precondition_failed');
    expect([unnamed.headers['etag'], stale.headers['etag']]).toEqual(['"2"', '"2"']);
    expectProblem(await put(newId(), {}, { 'if-match': '*' }), 412, 'precondition_failed');
  });

  it('R28 lets one of many editors win, and tells the others the current ETag', async () => {
    const id = newId();
    await put(id);
    const answers = await both((app, index) => put(id, { displayName: `A${index}` }, { 'if-match': '"1"' }, app));
    expectOneWinner(answers, 200, '"2"');
  });

  it.each(['alice@example', '', 'x'])('R29 refuses what is no e-mail address: %j', async (email) => {
    expectProblem(await put(newId(), { email }), 400, 'validation_failed', { errors: [{ path: 'email' }] });
  });

  it.each([`${'x'.repeat(101)}`, 'a\0b'])('R29 refuses an id that no order can name: %j', async (id) => {
    expectProblem(await put(id), 400, 'validation_failed', { errors: [{ path: 'id' }] });
    expectProblem(await here.get(pathOf(id)), 404, 'profile_not_found');
  });

  it('takes any id that an order can name', async () => {
    const id = 'Zoë "Z" O\\Neill / 50% & more?';
    const made = await put(id);
    expect([made.statusCode, made.json<{ id: string }>().id]).toEqual([201, id]);
    expect((await there.get(pathOf(id))).body).toBe(made.body);
  });
});

describe('R35 PATCH /profiles/{id}', () => {
  it('R28 changes what is given, takes away what is null, and leaves the rest', async () => {
    const id = newId();
    await put(id, { phone: '+4930123456', address });
    const changed = await patch(id, { displayName: 'Al', phone: null, address: { city: 'Bonn', postalCode: null } });
    expect([changed.statusCode, changed.headers['etag']]).toEqual([200, '"2"']);
    const { postalCode: _, ...rest } = address;
    const now = { id, ...profile, displayName: 'Al', address: { ...rest, city: 'Bonn' }, version: 2 };
    expect(changed.json()).toEqual(now);
    expect((await there.get(pathOf(id))).body).toBe(changed.body);
    const type = { 'content-type': 'application/merge-patch+json', 'if-match': '"2"' };
    expect((await patch(id, JSON.stringify({ locale: 'de' }), type)).json()).toEqual({
      ...now,
      locale: 'de',
      version: 3,
    });
  });

  it('R28 moves no version when it changes nothing', async () => {
    const id = newId();
    await put(id);
    const same = await patch(id, { displayName: profile.displayName, phone: null });
    expect([same.statusCode, same.headers['etag']]).toEqual([200, '"1"']);
  });

  it('R28 names the version that it changes: 428 without, 412 for an old one, and one of many wins', async () => {
    const id = newId();
    await put(id);
    const answers = await both((app, index) => patch(id, { displayName: `A${index}` }, {}, app));
    expectOneWinner(answers, 200, '"2"');
    const unnamed = await here.call('PATCH', pathOf(id), { body: { locale: 'de' } });
    expectProblem(unnamed, 428, 'precondition_required');
    expect(unnamed.headers['etag']).toBe('"2"');
  });

  it.each<[string, object | string]>([
    ['takes away what has to be there', { email: null }],
    ['makes half an address', { address: { city: 'Bonn' } }],
    ['names what nobody knows', { birthday: '2000-01-01' }],
    ['is a list', '[]'],
    ['changes the id', { id: 'bob' }],
  ])('R29 refuses a patch that %s', async (_, body) => {
    const id = newId();
    await put(id);
    expectProblem(await patch(id, body), 400, 'validation_failed');
    expect((await here.get(pathOf(id))).headers['etag']).toBe('"1"');
  });

  it('R29 answers 404 where nothing is', async () => {
    expectProblem(await patch(newId(), {}), 404, 'profile_not_found');
  });
});

describe('GET /profiles', () => {
  it('R28 answers 304 for a known ETag', async () => {
    const id = newId();
    await put(id);
    const known = await there.get(pathOf(id), { headers: { 'if-none-match': '"1"' } });
    expect([known.statusCode, known.body, known.headers['etag']]).toEqual([304, '', '"1"']);
  });

  it('R33 pages through the profiles of a tenant, for its operators', async () => {
    const ids = ['a', 'b', 'c', 'd', 'e'].map((letter) => `page-${letter}`);
    for (const id of ids) await put(id);
    const seen: string[] = [];
    let cursor: string | null = 'page-';
    while (cursor !== null) {
      const page: Page = (
        await there.get(`/profiles?limit=2&cursor=${cursor}`, { key: callers.operator })
      ).json<Page>();
      expect(page.items.length).toBeLessThanOrEqual(2);
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.next;
    }
    expect(seen.filter((id) => id.startsWith('page-'))).toEqual(ids);
    expectProblem(await here.get('/profiles'), 403, 'forbidden');
    expect((await here.get('/profiles', { key: callers.rival })).json()).toEqual({ items: [], next: null });
  });
});

describe('R54 a profile of somebody else', () => {
  it('is not seen, not changed and not erased by another customer', async () => {
    const id = newId();
    await put(id);
    const bob = { key: callers.bob };
    expectProblem(await here.get(pathOf(id), bob), 404, 'profile_not_found');
    expectProblem(await here.put(pathOf(id), profile, bob), 409, 'profile_id_conflict');
    const named = { ...bob, headers: { 'if-match': '"1"' } };
    expectProblem(await here.put(pathOf(id), profile, named), 409, 'profile_id_conflict');
    expectProblem(await here.call('PATCH', pathOf(id), { ...named, body: {} }), 404, 'profile_not_found');
    expectProblem(await here.call('DELETE', pathOf(id), bob), 404, 'profile_not_found');
    expect((await here.get(pathOf(id))).json()).toEqual({ id, ...profile, version: 1 });
  });

  it('is seen and changed by an operator, and stays that of the customer', async () => {
    const id = newId();
    await put(id);
    const operator = { key: callers.operator, headers: { 'if-match': '"1"' } };
    expect((await here.put(pathOf(id), { ...profile, locale: 'de' }, operator)).statusCode).toBe(200);
    expect((await here.get(pathOf(id))).json()).toMatchObject({ locale: 'de', version: 2 });
  });

  it('may have the same id in another tenant', async () => {
    const id = newId();
    await put(id);
    expect((await here.put(pathOf(id), profile, { key: callers.rival })).statusCode).toBe(201);
  });
});

interface Page {
  items: { id: string }[];
  next: string | null;
}
