/** What `DELETE /profiles/{id}` erases, for whom, and what it says; on a real database. Nobody answers the sagas. */
import { customerHash } from '@shop/contracts';
import {
  callers,
  expectProblem,
  OrderApp,
  orderBody,
  type OrderJson,
  type TwoOrderApps,
} from '../../testing/order-app';
import { useStack } from '@shop/testing';

const stack = useStack();
let here: OrderApp;
let there: OrderApp;
let close: TwoOrderApps['close'];

beforeAll(async () => {
  ({ here, there, close } = await OrderApp.startTwo(stack));
  await here.putProduct('cup', 1_200);
});
afterAll(() => close(here, there));

const profile = { displayName: 'Kim Private', email: 'kim@private.example', locale: 'en' };

interface Report {
  erased: { what: string; how: string }[];
  kept: { what: string; why: string; count?: number }[];
}
const erase = (id: string, call: { key?: string; headers?: Record<string, string> } = {}, app = here) =>
  app.call('DELETE', `/profiles/${id}`, call);
const keptOf = (report: Report) => report.kept.find(({ what }) => what === 'open orders')?.count ?? 0;

const carts = [
  ['kim-1', 'kim', 'alice'],
  ['kim-2', 'kim', 'alice'],
  ['kimberley-1', 'kimberley', 'alice'],
  ['of-bob', 'kim', 'bob'],
] as const;

async function putCart(id: string, customerId: string, placedBy: string): Promise<void> {
  await here.query(`insert into cart (tenant, id, placed_by, customer_id, items) values ('acme', $1, $3, $2, '[]')`, [
    id,
    customerId,
    placedBy,
  ]);
  await here.query(`insert into cart_promotion (tenant, cart_id, code) values ('acme', $1, 'TEN')`, [id]);
}
const cartsLeft = async () => (await here.query<{ id: string }>('select id from cart order by id')).map(({ id }) => id);

/** An order as its saga leaves it. */
async function ended(customerId: string, key: string, promotion?: string): Promise<string> {
  const { id } = (await here.place(orderBody({ customerId }), { key })).json<OrderJson>();
  await here.query(`update orders set status = 'confirmed' where id = $1`, [id]);
  if (promotion === undefined) return id;
  await here.query(`update orders set promotions = $2 where id = $1`, [
    id,
    JSON.stringify([{ code: promotion, amount: 1 }]),
  ]);
  await here.query(
    `insert into promotion_use (tenant, code, order_id, customer, status) values ('acme', $2, $1, $3, 'confirmed')`,
    [id, promotion, customerHash('acme', customerId)],
  );
  return id;
}
const customerOf = async (id: string) =>
  (await here.query<{ customer_id: string }>('select customer_id from orders where id = $1', [id]))[0]!.customer_id;
const userOf = async (id: string) =>
  (await here.query<{ customer: string }>('select customer from promotion_use where order_id = $1', [id]))[0]!.customer;

describe('R26 DELETE /profiles/{id}', () => {
  it('R26 erases profile, carts, ended orders and uses, and says so; the same again, through any replica', async () => {
    await here.put('/profiles/kim', profile);
    for (const [id, customer, by] of carts) await putCart(id, customer, by);
    const order = await ended('kim', callers.alice, 'TEN');
    const other = await ended('kimberley', callers.alice, 'TEN');
    const answer = await erase('kim');
    expect(answer.statusCode).toBe(200);
    expect(answer.json<Report>().erased.map(({ what }) => what)).toEqual([
      'profile',
      'carts',
      'customer of orders that have ended',
      'customer of the uses of promotions',
    ]);
    for (const { why } of answer.json<Report>().kept) expect(why).not.toBe('');
    expectProblem(await there.get('/profiles/kim'), 404, 'profile_not_found');
    expect(await cartsLeft()).toEqual(['kimberley-1', 'of-bob']);
    expect(await here.query('select cart_id from cart_promotion order by 1')).toEqual([
      { cart_id: 'kimberley-1' },
      { cart_id: 'of-bob' },
    ]);
    expect([await customerOf(order), await userOf(order)]).toEqual(['erased', 'erased']);
    expect([await customerOf(other), await userOf(other)]).toEqual(['kimberley', customerHash('acme', 'kimberley')]);
    const again = await Promise.all([
      erase('kim'),
      erase('kim', {}, there),
      erase('kim', { headers: { 'if-match': '"1"' } }),
    ]);
    expect(again.map(({ statusCode, body }) => [statusCode, body])).toEqual(Array(3).fill([200, answer.body]));
  });

  it('R26 keeps open orders, says how many, and erases them when it is asked again after their end', async () => {
    const { id } = (await here.place(orderBody({ customerId: 'ann' }))).json<OrderJson>();
    const first = (await erase('ann')).json<Report>();
    expect([keptOf(first), await customerOf(id)]).toEqual([1, 'ann']);
    await here.query(`update orders set status = 'cancelled' where id = $1`, [id]);
    expect([keptOf((await erase('ann')).json<Report>()), await customerOf(id)]).toEqual([0, 'erased']);
  });

  it('R54 reaches what the own principal has made; for an operator all of its tenant, and nothing of another one', async () => {
    await here.put('/profiles/eve', profile, { key: callers.bob });
    const [mine, theirs] = [await ended('eve', callers.alice), await ended('eve', callers.bob)];
    const { id: open } = (await here.place(orderBody({ customerId: 'eve' }), { key: callers.bob })).json<OrderJson>();
    expectProblem(await erase('eve'), 404, 'profile_not_found');
    expect(await customerOf(mine)).toBe('eve');
    await erase('eve', { key: callers.bob });
    expect([await customerOf(mine), await customerOf(theirs)]).toEqual(['eve', 'erased']);
    // Now there is no profile, and what Alice has made is hers to erase. Bob's open order is not hers to know of.
    expect(keptOf((await erase('eve')).json<Report>())).toBe(0);
    expect(await customerOf(mine)).toBe('erased');
    const late = await ended('eve', callers.bob);
    await erase('eve', { key: callers.rival });
    expect(await customerOf(late)).toBe('eve');
    expect(keptOf((await erase('eve', { key: callers.operator })).json<Report>())).toBe(1);
    expect([await customerOf(late), await customerOf(open)]).toEqual(['erased', 'eve']);
  });

  it('R28 of an editor and an eraser who both mean one version, one wins', async () => {
    for (let round = 0; round < 5; round++) {
      const id = `race-${round}`;
      await here.put(`/profiles/${id}`, profile);
      const named = { headers: { 'if-match': '"1"' } };
      const [edited, erased] = await Promise.all([
        here.put(`/profiles/${id}`, { ...profile, locale: 'de' }, named),
        erase(id, named, there),
      ]);
      expect([edited.statusCode, erased.statusCode].sort()).toEqual([200, 412]);
      expect((await here.get(`/profiles/${id}`)).statusCode).toBe(edited.statusCode === 200 ? 200 : 404);
    }
  });

  it('R26 erases for an operator all carts of the customer, more than one step of the walk has', async () => {
    await here.query(
      `insert into cart (tenant, id, placed_by, customer_id, items)
       select 'acme', 'c' || n, 'p' || n % 3, case when n % 2 = 0 then 'lee' else 'leo' end, '[]'
       from generate_series(1, 2500) as n`,
    );
    await erase('lee', { key: callers.operator });
    const left = 'select customer_id, count(*)::int as n from cart where customer_id like $1 group by 1';
    expect(await here.query(left, ['le%'])).toEqual([{ customer_id: 'leo', n: 1_250 }]);
  });

  it('R26 begins anew: a profile that is made later is a new one', async () => {
    await here.put('/profiles/new', profile);
    await erase('new');
    expect((await here.put('/profiles/new', profile, { key: callers.bob })).statusCode).toBe(201);
  });

  it('R26 leaves nothing of a profile in the ledger', async () => {
    await here.put('/profiles/kept', profile, { headers: { 'idempotency-key': 'kept-1' } });
    const stored = `select 1 from ledger where answer_body like '%private.example%'`;
    expect(await here.query(stored)).toEqual([]);
  });
});
