/** The promotions of a cart over HTTP, through two instances of the whole app on one database. */
import { customerHash } from '@shop/contracts';
import { useStack } from '@shop/testing';
import { cartBody, Carts, newCartId, newCode } from '../../testing/cart-client';
import { callers, expectProblem, OrderApp } from '../../testing/order-app';

const stack = useStack();
let here: Carts;
let there: Carts;

beforeAll(async () => {
  // No order is placed here, so nothing goes to the broker that all tests share.
  const apps = await Promise.all([OrderApp.start(stack), OrderApp.start(stack)]);
  [here, there] = [new Carts(apps[0]), new Carts(apps[1])];
  await here.app.putProduct('cup', 1_000);
  await here.app.putProduct('tea', 900, { key: callers.operator }, 'USD');
});
afterAll(() => Promise.all([here.app.close(), there.app.close()]));

async function newCart(changed: object = {}): Promise<string> {
  const id = newCartId();
  expect((await here.put(id, cartBody(2, changed))).statusCode).toBe(201);
  return id;
}
const put = (code: string, terms: object, headers: Record<string, string> = {}) => {
  const body = { kind: 'percent', percent: 10, combinable: true, ...terms };
  return here.app.put(`/promotions/${code}`, body, { key: callers.operator, headers });
};
async function newPromotion(terms: object = {}): Promise<string> {
  const code = newCode();
  expect((await put(code, terms)).statusCode).toBe(201);
  return code;
}
const eur = (amount: number) => ({ amount, currency: 'EUR' });

describe('PUT /carts/{id}/promotions/{code}', () => {
  it('R27 adds it once, in any letters, and shows what it takes off', async () => {
    const [id, code] = [await newCart(), await newPromotion()];
    const added = await here.want(id, code.toLowerCase());
    expect([added.statusCode, added.headers['etag']]).toEqual([201, '"2"']);
    expect(added.json()).toMatchObject({
      items: [{ sku: 'cup', discount: eur(200), total: eur(1_800) }],
      promotions: [{ code, amount: 200, applies: true }],
      subtotal: eur(2_000),
      discount: eur(200),
      total: eur(1_800),
      version: 2,
    });
    const again = await there.want(id, code);
    expect([again.statusCode, again.body, again.headers['etag']]).toEqual([200, added.body, '"2"']);
    expect((await there.get(id)).body).toBe(added.body);
    const { items } = (await here.app.get('/carts')).json<{ items: { id: string; promotions: string[] }[] }>();
    expect(items.find((cart) => cart.id === id)).toMatchObject({ promotions: [code] });
  });

  it.each<[string, string, object]>([
    ['that is over', 'promotion_expired', { endsAt: '2020-01-01T00:00:00Z' }],
    ['that has not begun', 'promotion_expired', { startsAt: '2126-01-01T00:00:00Z' }],
    ['with a minimum that is not reached', 'promotion_not_applicable', { minimum: eur(2_001) }],
    ['for other products', 'promotion_not_applicable', { skus: ['pot'] }],
    ['in another currency', 'promotion_not_applicable', { minimum: { amount: 1, currency: 'USD' } }],
  ])('refuses one %s with %s and a reason, and changes nothing', async (_, reason, terms) => {
    const [id, code] = [await newCart(), await newPromotion(terms)];
    const refused = await here.want(id, code);
    expectProblem(refused, 409, reason);
    expect(refused.json()).toMatchObject({ reason: expect.stringMatching(/\w/) as string });
    expect(await here.stored(id)).toMatchObject({ version: 1, codes: [] });
  });

  it('refuses one that is used up, in all or by its customer, and counts no use that was returned', async () => {
    const code = await newPromotion({ maxUses: 2, maxUsesPerCustomer: 1 });
    const use = (customer: string, status: string) =>
      here.app.query(
        `insert into promotion_use (tenant, code, order_id, customer, status) values ('acme', $1, gen_random_uuid(), $2, $3)`,
        [code, customerHash('acme', customer), status],
      );
    await use('alice', 'returned');
    expect((await here.want(await newCart(), code)).statusCode).toBe(201);
    await use('alice', 'taken');
    expectProblem(await here.want(await newCart(), code), 409, 'promotion_used_up');
    expect((await here.want(await newCart({ customerId: 'bob' }), code)).statusCode).toBe(201);
    await here.app.query('update promotion set used = 2 where code = $1', [code]);
    expectProblem(await here.want(await newCart({ customerId: 'carl' }), code), 409, 'promotion_used_up');
  });

  it('does not look again at one that the cart has, and tells that it does not apply any more', async () => {
    const [id, code] = [await newCart(), await newPromotion()];
    await here.want(id, code);
    await put(code, { endsAt: '2020-01-01T00:00:00Z' }, { 'if-match': '*' });
    const again = await there.want(id, code);
    expect([again.statusCode, again.headers['etag']]).toEqual([200, '"2"']);
    expect(again.json()).toMatchObject({
      promotions: [{ code, amount: 0, applies: false, reason: 'promotion_expired' }],
      total: eur(2_000),
    });
    await here.app.call('DELETE', `/promotions/${code}`, { key: callers.operator });
    expect((await there.get(id)).json()).toMatchObject({ promotions: [{ code, applies: false }] });
  });

  it('answers 404 for a promotion or a cart that is not there', async () => {
    const code = await newPromotion();
    for (const other of [newCode(), 'no%20code', '%00', 'a'.repeat(41)]) {
      expectProblem(await here.want(await newCart(), other), 404, 'unknown_promotion');
    }
    for (const id of [newCartId(), 'a%20b']) expectProblem(await here.want(id, code), 404, 'cart_not_found');
  });

  it('refuses one where the cart has no single currency', async () => {
    const items = ['cup', 'tea'].map((sku) => ({ sku, quantity: 1 }));
    const id = await newCart({ items });
    expectProblem(await here.want(id, await newPromotion()), 409, 'promotion_not_applicable');
  });

  it.each([
    ['"1"', 201],
    ['*', 201],
    ['W/"1"', 412],
    ['"2"', 412],
    ['1', 400],
  ])('R28 reads If-Match: %s, where the version is "1", with %d', async (ifMatch, status) => {
    const [id, code] = [await newCart(), await newPromotion()];
    const answer = await there.want(id, code, { ifMatch });
    expect([answer.statusCode, answer.headers['etag']]).toEqual([status, status === 201 ? '"2"' : '"1"']);
  });
});

describe('DELETE /carts/{id}/promotions/{code}', () => {
  it('R27 takes it away, as often as it is asked to, and tells the version', async () => {
    const [id, code] = [await newCart(), await newPromotion()];
    await here.want(id, code);
    const stale = await here.leave(id, code, { ifMatch: '"1"' });
    expectProblem(stale, 412, 'precondition_failed');
    for (const app of [here, there]) {
      const left = await app.leave(id, code.toLowerCase());
      expect([left.statusCode, left.body, left.headers['etag']]).toEqual([204, '', '"3"']);
    }
    expect((await there.leave(id, 'no%20code')).statusCode).toBe(204);
    expect((await there.leave(newCartId(), code)).statusCode).toBe(204);
    expect((await here.get(id)).json()).toMatchObject({ promotions: [], total: eur(2_000), version: 3 });
  });

  it('is done by the deletion of the cart too', async () => {
    const [id, code] = [await newCart(), await newPromotion()];
    await here.want(id, code);
    await here.delete(id);
    expect((await there.put(id)).json()).toMatchObject({ promotions: [], version: 4 });
  });
});
