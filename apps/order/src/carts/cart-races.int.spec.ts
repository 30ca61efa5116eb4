/** Changes of one cart at the same time, over two instances of the whole app on one database. */
import { Client } from 'pg';
import { eventually, useStack } from '@shop/testing';
import { cartBody, type CartJson, Carts, newCartId, newCode } from '../../testing/cart-client';
import { type Answer, callers, expectProblem, OrderApp, type TwoOrderApps } from '../../testing/order-app';

const ROUNDS = 8;

const stack = useStack();
let here: Carts;
let there: Carts;
let close: TwoOrderApps['close'];

beforeAll(async () => {
  const two = await OrderApp.startTwo(stack);
  ({ close } = two);
  [here, there] = [new Carts(two.here), new Carts(two.there)];
  await here.app.putProduct('cup', 1_200);
});
afterAll(() => close(here.app, there.app));

const either = (index: number) => (index % 2 ? here : there);
const raced = <T>(count: number, work: (carts: Carts, index: number) => Promise<T>) =>
  Promise.all(Array.from({ length: count }, (_, index) => work(either(index), index)));
const statuses = (answers: readonly Answer[]) => answers.map(({ statusCode }) => statusCode).sort();
const order = (carts: Carts, cartId: string) => carts.app.place({ cartId, payment: { source: 'tok_ok' } });
async function newCart(): Promise<string> {
  const id = newCartId();
  expect((await here.put(id)).statusCode).toBe(201);
  return id;
}
async function newPromotion(terms: object = { percent: 10 }): Promise<string> {
  const code = newCode();
  const body = { kind: 'percent', combinable: true, ...terms };
  expect((await here.app.put(`/promotions/${code}`, body, { key: callers.operator })).statusCode).toBe(201);
  return code;
}

describe('R28 of many changes of one version at once', () => {
  it('R27 one makes the cart, and the others find it as they want it', async () => {
    const id = newCartId();
    expect(statuses(await raced(20, (carts) => carts.put(id)))).toEqual([...Array<number>(19).fill(200), 201]);
    const once = newCartId();
    const headers = { 'if-none-match': '*' };
    const answers = await raced(20, (carts) => carts.put(once, cartBody(), { headers }));
    expect(statuses(answers)).toEqual([201, ...Array<number>(19).fill(412)]);
    expect([(await here.stored(id)).version, (await here.stored(once)).version]).toEqual([1, 1]);
  });

  it('R27 one makes the cart, and the others are told to read it when they want it otherwise', async () => {
    const id = newCartId();
    const answers = await raced(10, (carts, index) => carts.put(id, cartBody(index + 1)));
    expect(statuses(answers)).toEqual([201, ...Array<number>(9).fill(428)]);
    const won = answers.findIndex(({ statusCode }) => statusCode === 201);
    expect(await here.stored(id)).toEqual({ version: 1, quantities: [won + 1], codes: [] });
  });

  it('R27 one makes a cart again that was deleted, behind its last version', async () => {
    const id = await newCart();
    await here.delete(id);
    expect(statuses(await raced(10, (carts) => carts.put(id)))).toEqual([...Array<number>(9).fill(200), 201]);
    expect(await here.stored(id)).toMatchObject({ version: 3 });
  });

  it('one is made, whatever kind they are, and the others are told the current ETag', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const id = await newCart();
      const code = await newPromotion();
      const ifMatch = '"1"';
      const answers = await raced(12, (carts, index) => {
        if (index % 3 === 0) return carts.put(id, cartBody(10 + index), { ifMatch });
        if (index % 3 === 1) return carts.patch(id, { items: [{ sku: 'cup', quantity: 10 + index }] }, ifMatch);
        return carts.want(id, code, { ifMatch });
      });
      const winners = answers.filter(({ statusCode }) => statusCode < 300);
      expect(winners).toHaveLength(1);
      for (const loser of answers.filter((answer) => answer !== winners[0])) {
        expectProblem(loser, 412, 'precondition_failed');
        expect(loser.headers['etag']).toBe('"2"');
      }
      const { items, promotions } = winners[0]!.json<CartJson>();
      expect(await here.stored(id)).toEqual({
        version: 2,
        quantities: items.map(({ quantity }) => quantity),
        codes: promotions.map((promotion) => promotion.code),
      });
    }
  });

  it('a DELETE of it or a change of it is made, and never both', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const id = await newCart();
      const ifMatch = '"1"';
      const [deleted, changed] = await Promise.all([
        either(round).delete(id, { ifMatch }),
        either(round + 1).put(id, cartBody(7), { ifMatch }),
      ]);
      const { version, quantities } = await here.stored(id);
      expect(version).toBe(2);
      if (deleted.statusCode === 204) {
        expectProblem(changed, 412, 'precondition_failed');
        expect(quantities).toEqual([]);
      } else {
        expectProblem(deleted, 412, 'precondition_failed');
        expect([changed.statusCode, quantities]).toEqual([200, [7]]);
      }
    }
  });
});

describe('R28 of many changes of whatever version there is', () => {
  it('each counts, and none is lost', async () => {
    const id = await newCart();
    const answers = await raced(20, (carts, index) => carts.put(id, cartBody(10 + index), { ifMatch: '*' }));
    expect(statuses(answers)).toEqual(Array<number>(20).fill(200));
    expect(await here.stored(id)).toMatchObject({ version: 21 });
  });

  it('those of the items leave the promotions, and those of the promotions leave the items', async () => {
    const id = await newCart();
    const codes = [await newPromotion(), await newPromotion(), await newPromotion(), await newPromotion()];
    await Promise.all([
      ...codes.map((code, index) => either(index).want(id, code)),
      raced(4, (carts, index) => carts.patch(id, { items: [{ sku: 'cup', quantity: 50 + index }] }, '*')),
    ]);
    const { version, quantities, codes: stored } = await here.stored(id);
    expect([version, stored]).toEqual([9, [...codes].sort()]);
    expect(quantities[0]).toBeGreaterThanOrEqual(50);
  });
});

describe('R27 a promotion', () => {
  it('R27 that is wanted a hundred times at once is there once, and the version moves once', async () => {
    const [id, code] = [await newCart(), await newPromotion()];
    const answers = await raced(100, (carts) => carts.want(id, code));
    expect(statuses(answers)).toEqual([...Array<number>(99).fill(200), 201]);
    expect(await here.stored(id)).toEqual({ version: 2, quantities: [1], codes: [code] });
    const left = await raced(20, (carts) => carts.leave(id, code));
    expect(statuses(left)).toEqual(Array<number>(20).fill(204));
    expect(await here.stored(id)).toEqual({ version: 3, quantities: [1], codes: [] });
  });

  it('R29 is refused above ten, also when many come at once', async () => {
    const id = await newCart();
    const codes: string[] = [];
    while (codes.length < 13) codes.push(await newPromotion({ percent: 1 }));
    const answers = await Promise.all(codes.map((code, index) => either(index).want(id, code)));
    expect(statuses(answers)).toEqual([...Array<number>(10).fill(201), ...Array<number>(3).fill(409)]);
    for (const answer of answers) if (answer.statusCode === 409) expectProblem(answer, 409, 'too_many_promotions');
    expect((await here.stored(id)).codes).toHaveLength(10);
  });

  it('that goes with no other is never beside one, however they come', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const id = await newCart();
      const codes = [await newPromotion({ percent: 5, combinable: false }), await newPromotion()];
      const answers = await Promise.all(codes.map((code, index) => either(index + round).want(id, code)));
      expect(statuses(answers)).toEqual([201, 409]);
      expect((await here.stored(id)).codes).toHaveLength(1);
    }
  });
});

describe('a cart that is ordered while it is edited', () => {
  it('is ordered with the edit, or the edit is refused and told of the order', async () => {
    const seen = new Set<string>();
    for (let round = 0; round < 3 * ROUNDS; round++) {
      const [id, code] = [await newCart(), await newPromotion()];
      const edit = () =>
        round % 3 === 0
          ? either(round).want(id, code)
          : either(round).patch(id, { items: [{ sku: 'cup', quantity: 5 }] }, '"1"');
      const [placed, edited] = await Promise.all([order(either(round + 1), id), edit()]);
      expect(placed.statusCode).toBe(201);
      const { id: orderId, items, ...rest } = placed.json<CartJson>();
      const stored = await here.stored(id);
      if (edited.statusCode < 300) {
        seen.add('before');
        if (round % 3 === 0) expect(rest.promotions).toMatchObject([{ code }]);
        else expect(items).toMatchObject([{ quantity: 5 }]);
        expect(stored.version).toBe(3);
      } else {
        seen.add('behind');
        expectProblem(edited, 409, 'already_submitted');
        expect(edited.json()).toMatchObject({ statusUrl: `/orders/${orderId}` });
        expect(stored).toEqual({ version: 2, quantities: [1], codes: [] });
      }
    }
    expect(seen.size).toBeGreaterThan(0);
  });

  it('makes the editor wait for the ordering transaction, and then tells of the order', async () => {
    const id = await newCart();
    const code = await newPromotion();
    const orderId = '01a20621-a6cd-74b9-a1c3-459d717a98c4';
    const other = new Client({ connectionString: stack.databaseUrl });
    await other.connect();
    try {
      await other.query('begin');
      await other.query('select from cart where id = $1 for update', [id]);
      const edits = [
        here.patch(id, { items: [] }, '"1"'),
        there.put(id, cartBody(3), { ifMatch: '*' }),
        here.want(id, code),
        there.delete(id),
      ];
      await eventually(async () => {
        const waiting = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
        expect((await other.query(waiting)).rowCount).toBe(4);
      });
      const set = `set status = 'ordered', order_id = $2, version = version + 1`;
      await other.query(`update cart ${set} where id = $1`, [id, orderId]);
      await other.query('commit');
      for (const edit of await Promise.all(edits)) {
        expectProblem(edit, 409, 'already_submitted');
        expect(edit.json()).toMatchObject({ statusUrl: `/orders/${orderId}` });
      }
      expect(await here.stored(id)).toEqual({ version: 2, quantities: [1], codes: [] });
    } finally {
      await other.end();
    }
  });

  it('R45 makes the editor wait only so long, and is unchanged then', async () => {
    const id = await newCart();
    const code = await newPromotion();
    const other = new Client({ connectionString: stack.databaseUrl });
    await other.connect();
    try {
      await other.query('begin');
      await other.query('select from cart where id = $1 for update', [id]);
      const edits = await Promise.all([here.put(id, cartBody(3), { ifMatch: '"1"' }), there.want(id, code)]);
      for (const edit of edits) expectProblem(edit, 503, 'unavailable');
      await other.query('rollback');
      expect(await here.stored(id)).toEqual({ version: 1, quantities: [1], codes: [] });
      expect((await there.put(id, cartBody(3), { ifMatch: '"1"' })).statusCode).toBe(200);
    } finally {
      await other.end();
    }
  });

  it('changes no more, whatever is asked and under whatever version', async () => {
    const [id, code, more] = [await newCart(), await newPromotion(), await newPromotion()];
    await here.want(id, code);
    const { id: orderId } = (await order(here, id)).json<CartJson>();
    const refused = [
      await there.put(id),
      await there.put(id, cartBody(2), { ifMatch: '"1"' }),
      await there.patch(id, {}, '"3"'),
      await there.patch(id, {}),
      await there.want(id, code),
      await there.want(id, more),
      await there.leave(id, code),
      await there.leave(id, more),
      await there.delete(id),
    ];
    for (const answer of refused) {
      expectProblem(answer, 409, 'already_submitted');
      expect([answer.json(), answer.headers['location']]).toMatchObject([
        { statusUrl: `/orders/${orderId}` },
        `/orders/${orderId}`,
      ]);
    }
    const shown = await there.get(id);
    expect([shown.headers['etag'], shown.json()]).toMatchObject([
      '"3"',
      { status: 'ordered', orderId, promotions: [{ code, applies: true, amount: 120 }], degraded: [] },
    ]);
  });

  it('is not there for an order when it is deleted', async () => {
    const id = await newCart();
    await here.delete(id);
    expectProblem(await order(there, id), 404, 'cart_not_found');
  });
});
