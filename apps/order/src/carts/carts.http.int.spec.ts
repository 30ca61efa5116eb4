/** Carts over HTTP through two instances of the whole app on one database. */
import { useStack } from '@shop/testing';
import { cartBody, type CartJson, Carts, newCartId } from '../../testing/cart-client';
import { callers, expectProblem, OrderApp } from '../../testing/order-app';

const stack = useStack();
let here: Carts;
let there: Carts;

beforeAll(async () => {
  // No order is placed here, so nothing goes to the broker that all tests share.
  const apps = await Promise.all([OrderApp.start(stack), OrderApp.start(stack)]);
  [here, there] = [new Carts(apps[0]), new Carts(apps[1])];
  await here.app.putProduct('cup', 1_200);
  await here.app.putProduct('pot', 5_000);
});
afterAll(() => Promise.all([here.app.close(), there.app.close()]));

const operator = { key: callers.operator };

describe('PUT /carts/{id}', () => {
  it('R27 makes a cart, with what it comes to now, and converges when it is repeated', async () => {
    const id = newCartId();
    const made = await here.put(id, cartBody(2));
    expect([made.statusCode, made.headers['etag'], made.headers['location'], made.json()]).toEqual([
      201,
      '"1"',
      `/carts/${id}`,
      {
        id,
        customerId: 'alice',
        status: 'open',
        items: [
          {
            sku: 'cup',
            name: 'The cup',
            quantity: 2,
            unitPrice: { amount: 1_200, currency: 'EUR' },
            discount: { amount: 0, currency: 'EUR' },
            total: { amount: 2_400, currency: 'EUR' },
          },
        ],
        promotions: [],
        subtotal: { amount: 2_400, currency: 'EUR' },
        discount: { amount: 0, currency: 'EUR' },
        total: { amount: 2_400, currency: 'EUR' },
        short: [],
        unknown: [],
        // Nobody said where inventory is.
        degraded: ['stock'],
        version: 1,
      },
    ]);
    const again = await there.put(id, cartBody(2));
    expect([again.statusCode, again.body, again.headers['etag']]).toEqual([200, made.body, '"1"']);
    expect((await there.get(id)).body).toBe(made.body);
  });

  it('R28 changes the version that is named; 428 without a name, 412 for another one, with the current ETag', async () => {
    const id = newCartId();
    await here.put(id);
    const changed = await there.put(id, cartBody(2), { ifMatch: '"1"' });
    expect([changed.statusCode, changed.headers['etag']]).toEqual([200, '"2"']);
    const unnamed = await here.put(id, cartBody(3));
    expectProblem(unnamed, 428, 'precondition_required');
    const stale = await here.put(id, cartBody(3), { ifMatch: '"1"' });
    expectProblem(stale, 412, 'precondition_failed');
    expect([unnamed.headers['etag'], stale.headers['etag']]).toEqual(['"2"', '"2"']);
    const once = await here.put(id, cartBody(2), { headers: { 'if-none-match': '*' } });
    expectProblem(once, 412, 'precondition_failed');
    expectProblem(await here.put(newCartId(), cartBody(), { ifMatch: '*' }), 412, 'precondition_failed');
    expect(await here.stored(id)).toMatchObject({ version: 2, quantities: [2] });
  });

  it('takes a cart with nothing in it, which has no sums', async () => {
    const empty = await here.put(newCartId(), cartBody(1, { items: [] }));
    expect(empty.statusCode).toBe(201);
    expect(empty.json()).not.toHaveProperty('total');
  });

  it('names a product that is unknown, and shows the cart', async () => {
    const items = [
      { sku: 'cup', quantity: 1 },
      { sku: 'unicorn', quantity: 1 },
    ];
    const answer = await here.put(newCartId(), cartBody(1, { items }));
    expect(answer.json()).toMatchObject({ unknown: ['unicorn'], total: { amount: 1_200 } });
    expect(answer.json<CartJson>().items[1]).toEqual({ sku: 'unicorn', quantity: 1 });
  });

  it('shows the price of the moment', async () => {
    const id = newCartId();
    await here.app.putProduct('offer', 900);
    await here.put(id, cartBody(1, { items: [{ sku: 'offer', quantity: 2 }] }));
    await there.app.putProduct('offer', 800, { key: callers.operator, headers: { 'if-match': '*' } });
    expect((await here.get(id)).json()).toMatchObject({ total: { amount: 1_600 }, version: 1 });
  });

  it('stays the cart of its customer', async () => {
    const id = newCartId();
    await here.put(id);
    const other = await here.put(id, cartBody(1, { customerId: 'bob' }), { ifMatch: '"1"' });
    expectProblem(other, 409, 'cart_of_another_customer');
    expectProblem(await here.patch(id, { customerId: 'bob' }, '"1"'), 409, 'cart_of_another_customer');
  });

  it.each<[string, object]>([
    ['no customer', { customerId: undefined }],
    ['no items', { items: undefined }],
    ['a SKU twice', { items: Array(2).fill({ sku: 'cup', quantity: 1 }) }],
    ['half a piece', { items: [{ sku: 'cup', quantity: 0.5 }] }],
    ['a price of its own', { items: [{ sku: 'cup', quantity: 1, unitPrice: { amount: 1, currency: 'EUR' } }] }],
    ['too many lines', { items: Array.from({ length: 101 }, (_, n) => ({ sku: `s${n}`, quantity: 1 })) }],
    ['an unknown property', { colour: 'red' }],
  ])('R29 refuses %s', async (_, changed) => {
    expectProblem(await here.put(newCartId(), cartBody(1, changed)), 400, 'validation_failed');
  });

  it.each(['a%20b', 'a.b', '%00', 'a'.repeat(65)])('R29 takes no id such as %s, and finds none', async (id) => {
    expectProblem(await here.put(id), 400, 'validation_failed');
    expectProblem(await here.get(id), 404, 'cart_not_found');
    expectProblem(await here.patch(id, {}, '*'), 404, 'cart_not_found');
    expect((await here.delete(id)).statusCode).toBe(204);
  });
});

describe('PATCH /carts/{id}', () => {
  it('R28 changes what is given of the version that is named, in both types of JSON', async () => {
    const id = newCartId();
    await here.put(id);
    const items = [{ sku: 'pot', quantity: 1 }];
    const patched = await there.patch(id, { items }, '"1"');
    expect([patched.statusCode, patched.headers['etag']]).toEqual([200, '"2"']);
    expect(patched.json()).toMatchObject({ customerId: 'alice', items, total: { amount: 5_000 }, version: 2 });
    const json = { 'content-type': 'application/json' };
    const plain = await here.patch(id, { items: [] }, '"2"', { headers: json });
    expect([plain.statusCode, plain.headers['etag']]).toEqual([200, '"3"']);
  });

  it('R28 leaves the version when it changes nothing', async () => {
    const id = newCartId();
    await here.put(id);
    for (const patch of [{}, { items: [{ sku: 'cup', quantity: 1 }] }, { colour: null }]) {
      const same = await there.patch(id, patch, '"1"');
      expect([same.statusCode, same.headers['etag']]).toEqual([200, '"1"']);
    }
  });

  it.each<[string, object | string]>([
    ['without a customer', { customerId: null }],
    ['without items', { items: null }],
    ['with what no cart has', { colour: 'red' }],
    ['with a line that is none', { items: [{ sku: 'cup', quantity: -1 }] }],
    ['that is a list', []],
    ['that is nothing', 'null'],
  ])('R29 refuses to make a cart %s', async (_, patch) => {
    const id = newCartId();
    await here.put(id);
    expectProblem(await here.patch(id, patch, '"1"'), 400, 'validation_failed');
    expect(await here.stored(id)).toMatchObject({ version: 1 });
  });

  it('R29 takes no patch of another kind, and a merge patch for nothing but a PATCH', async () => {
    const id = newCartId();
    const type = (name: string) => ({ headers: { 'content-type': name } });
    await here.put(id);
    const operations = await here.patch(id, [], '"1"', type('application/json-patch+json'));
    expectProblem(operations, 415, 'unsupported_media_type');
    const put = await here.put(id, cartBody(), type('application/merge-patch+json'));
    expectProblem(put, 415, 'unsupported_media_type');
  });

  it('answers 404 where nothing is', async () => {
    expectProblem(await here.patch(newCartId(), {}, '*'), 404, 'cart_not_found');
  });
});

describe('R28 If-Match', () => {
  const forms: [string | undefined, number, string | undefined][] = [
    ['"2"', 200, undefined],
    ['*', 200, undefined],
    ['"7", "2"', 200, undefined],
    ['W/"2"', 412, 'precondition_failed'],
    ['"1"', 412, 'precondition_failed'],
    ['2', 400, 'precondition_invalid'],
    ['', 400, 'precondition_invalid'],
    ['"1", *', 400, 'precondition_invalid'],
    [undefined, 428, 'precondition_required'],
  ];

  it.each(forms)('of %s is answered by a change of version "2" with %d', async (ifMatch, status, code) => {
    const id = newCartId();
    await here.put(id);
    await here.put(id, cartBody(2), { ifMatch: '"1"' });
    const changes = [
      await there.put(id, cartBody(3), { ifMatch }),
      await there.patch(id, { items: [] }, status === 200 && ifMatch !== '*' ? '"3"' : ifMatch),
    ];
    for (const change of changes) {
      if (code === undefined) expect(change.statusCode).toBe(200);
      else expectProblem(change, status, code);
      if (code !== undefined) expect(change.headers['etag']).toBe('"2"');
    }
  });

  it.each(forms.slice(0, -1))(
    'of %s is answered by DELETE of version "2" with %d, or 204',
    async (ifMatch, _, code) => {
      const id = newCartId();
      await here.put(id);
      await here.put(id, cartBody(2), { ifMatch: '"1"' });
      const deleted = await there.delete(id, { ifMatch });
      if (code === undefined) expect(deleted.statusCode).toBe(204);
      else expectProblem(deleted, deleted.statusCode, code);
      expect((await here.get(id)).statusCode).toBe(code === undefined ? 404 : 200);
    },
  );
});

describe('DELETE /carts/{id}', () => {
  it('R27 takes the cart away, as often as it is asked to, and also where none ever was', async () => {
    const id = newCartId();
    await here.put(id);
    for (const app of [here, there, here]) expect((await app.delete(id)).statusCode).toBe(204);
    expect((await there.delete(id, { ifMatch: '"1"' })).statusCode).toBe(204);
    expect((await there.delete(newCartId())).statusCode).toBe(204);
    expectProblem(await there.get(id), 404, 'cart_not_found');
  });

  it('R28 leaves a version behind, so that an old ETag never fits a new cart', async () => {
    const id = newCartId();
    await here.put(id);
    await here.delete(id);
    const again = await there.put(id, cartBody(5));
    expect([again.statusCode, again.headers['etag']]).toEqual([201, '"3"']);
    expectProblem(await here.put(id, cartBody(6), { ifMatch: '"1"' }), 412, 'precondition_failed');
    expect((await here.put(id, cartBody(6), { ifMatch: '"3"' })).statusCode).toBe(200);
  });

  it('keeps nothing that tells of the customer', async () => {
    const id = newCartId();
    await here.put(id);
    await here.delete(id);
    const rows = await here.app.query('select customer_id, placed_by, items from cart where id = $1', [id]);
    expect(rows).toEqual([{ customer_id: '', placed_by: '', items: [] }]);
  });
});

describe('GET /carts', () => {
  it('R28 answers 304 for a known version', async () => {
    const id = newCartId();
    await here.put(id);
    const known = await there.get(id, { headers: { 'if-none-match': '"1"' } });
    expect([known.statusCode, known.body, known.headers['etag']]).toEqual([304, '', '"1"']);
    expect((await there.get(id, { headers: { 'if-none-match': '"2"' } })).statusCode).toBe(200);
  });

  it('R33 pages through the carts from the newest on, without those that are deleted', async () => {
    const ids = Array.from({ length: 5 }, newCartId);
    for (const id of ids) await here.put(id, cartBody(), { key: callers.bob });
    await here.delete(ids[2]!, { key: callers.bob });
    const seen: string[][] = [];
    let cursor = '';
    while (seen.length < 3) {
      const answer = await there.app.get(`/carts?limit=2${cursor}`, { key: callers.bob });
      const { items, next } = answer.json<{ items: { id: string }[]; next: string | null }>();
      seen.push(items.map(({ id }) => id));
      if (next === null) break;
      cursor = `&cursor=${next}`;
    }
    expect(seen).toEqual([
      [ids[4], ids[3]],
      [ids[1], ids[0]],
    ]);
  });

  it.each(['limit=0', 'limit=201', 'cursor=', 'cursor=a%20b', 'cursor=%00'])('R33 refuses %s', async (search) => {
    expectProblem(await here.app.get(`/carts?${search}`), 400, 'validation_failed');
  });
});

describe('R54 the cart of somebody else', () => {
  it('R54 is not there for another customer, cannot be made by it, and stays when it is deleted', async () => {
    const id = newCartId();
    const bob = { key: callers.bob };
    await here.put(id);
    expectProblem(await there.get(id, bob), 404, 'cart_not_found');
    expectProblem(await there.patch(id, {}, '*', bob), 404, 'cart_not_found');
    expectProblem(await there.put(id, cartBody(), bob), 409, 'cart_id_conflict');
    expectProblem(await there.put(id, cartBody(2), { ...bob, ifMatch: '*' }), 409, 'cart_id_conflict');
    expectProblem(await there.want(id, 'TEN', bob), 404, 'cart_not_found');
    expect((await there.leave(id, 'TEN', bob)).statusCode).toBe(204);
    expect((await there.delete(id, bob)).statusCode).toBe(204);
    expect(await here.stored(id)).toMatchObject({ version: 1, quantities: [1] });
    const listed = (await there.app.get('/carts', bob)).json<{ items: { id: string }[] }>();
    expect(listed.items.map((cart) => cart.id)).not.toContain(id);
  });

  it('R54 is seen and changed by an operator of the tenant, and stays that of who made it', async () => {
    const id = newCartId();
    await here.put(id);
    expect((await there.get(id, operator)).statusCode).toBe(200);
    expect((await there.put(id, cartBody(2), { ...operator, ifMatch: '"1"' })).statusCode).toBe(200);
    expect((await here.get(id)).json()).toMatchObject({ version: 2 });
    const rival = { key: callers.rival };
    expectProblem(await there.get(id, rival), 404, 'cart_not_found');
    expect((await there.put(id, cartBody(7), rival)).statusCode).toBe(201);
    expect((await here.get(id)).json()).toMatchObject({ items: [{ quantity: 2 }] });
  });
});
