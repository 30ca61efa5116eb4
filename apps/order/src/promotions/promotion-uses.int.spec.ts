/** Uses of promotions: taken, confirmed and given back once, through two instances of the whole app on one database. */
import { eventually, useStack } from '@shop/testing';
import { cartBody, fillCart, putPromotion } from '../../testing/carts';
import {
  type Answer,
  callers,
  deadlocksAfterClosing,
  expectProblem,
  OrderApp,
  type OrderJson,
  type TwoOrderApps,
} from '../../testing/order-app';
import { allSucceed, allTakenBack, Participants, refused, type Script, succeeded } from '../../testing/participants';

const stack = useStack();
const percent = { kind: 'percent', percent: 10, combinable: true };
const declined: Script = {
  'reserve/do': succeeded,
  'reserve/undo': succeeded,
  'charge/do': refused('card_declined'),
};
const taken: Script = { ...allSucceed, ...allTakenBack };

let here: OrderApp;
let there: OrderApp;
let participants: Participants;
let close: TwoOrderApps['close'];

beforeAll(async () => {
  const two = await OrderApp.startTwo(stack);
  ({ here, there, close } = two);
  participants = await Participants.join(two.natsUrl);
  await here.putProduct('cup', 1_200);
});
afterAll(async () => {
  await participants.leave();
  await close();
});

interface Uses {
  used: number;
  statuses: Record<string, number>;
}

async function usesOf(code: string): Promise<Uses> {
  const rows = await here.query<{ status: string; n: number }>(
    'select status, count(*)::int as n from promotion_use where code = $1 group by status',
    [code],
  );
  const [promotion] = await here.query<{ used: number }>('select used from promotion where code = $1', [code]);
  return { used: promotion!.used, statuses: Object.fromEntries(rows.map(({ status, n }) => [status, n])) };
}

async function place(promotions: string[], script: Script = {}): Promise<string> {
  const { id } = (await here.place(cartBody(await fillCart(here, { promotions })))).json<OrderJson>();
  await participants.play(id, script);
  return id;
}

const settled = async (id: string) =>
  (await there.get(`/orders/${id}`, { headers: { prefer: 'wait=20' } })).json<OrderJson>();

describe('a use of a promotion', () => {
  it('is taken with the order, and confirmed with it', async () => {
    const code = await putPromotion(here, percent);
    const id = await place([code]);
    expect(await usesOf(code)).toEqual({ used: 1, statuses: { taken: 1 } });
    await participants.play(id, allSucceed);
    expect(await settled(id)).toMatchObject({ status: 'confirmed' });
    expect(await usesOf(code)).toEqual({ used: 1, statuses: { confirmed: 1 } });
  });

  it('is given back when the order fails, and somebody else can have it', async () => {
    const code = await putPromotion(here, { ...percent, maxUses: 1 });
    const id = await place([code], declined);
    expect(await settled(id)).toMatchObject({ status: 'cancelled', reason: 'card_declined' });
    expect(await usesOf(code)).toEqual({ used: 0, statuses: { returned: 1 } });
    await place([code]);
    expect(await usesOf(code)).toEqual({ used: 1, statuses: { returned: 1, taken: 1 } });
  });

  it('is given back once, however often and however late the replies come', async () => {
    const code = await putPromotion(here, percent);
    const [id, other] = [await place([code], declined), await place([code])];
    expect(await settled(id)).toMatchObject({ status: 'cancelled' });
    for (const action of ['charge/do', 'reserve/undo', 'reserve/do', 'reserve/undo']) {
      await participants.reply(id, action, action === 'charge/do' ? refused('card_declined') : succeeded);
    }
    await participants.play(other, allSucceed);
    expect(await settled(other)).toMatchObject({ status: 'confirmed' });
    expect(await usesOf(code)).toEqual({ used: 1, statuses: { returned: 1, confirmed: 1 } });
  });

  it('is given back once for each of several promotions when a confirmed order is cancelled', async () => {
    const codes = [await putPromotion(here, percent), await putPromotion(here, { ...percent, percent: 20 })];
    const id = await place(codes, taken);
    expect(await settled(id)).toMatchObject({ status: 'confirmed' });
    await Promise.all([here, there].map((app) => app.call('DELETE', `/orders/${id}`)));
    const [{ cancel_saga_id: saga }] = (await here.query<{ cancel_saga_id: string }>(
      'select cancel_saga_id from orders where id = $1',
      [id],
    )) as [{ cancel_saga_id: string }];
    await participants.play(saga, taken);
    expect(await settled(id)).toMatchObject({ status: 'cancelled' });
    await here.call('DELETE', `/orders/${id}`);
    for (const code of codes) expect(await usesOf(code)).toEqual({ used: 0, statuses: { returned: 1 } });
  });

  it('stays with an order that could not be cancelled any more', async () => {
    const code = await putPromotion(here, percent);
    const id = await place([code], allSucceed);
    expect(await settled(id)).toMatchObject({ status: 'confirmed' });
    await here.call('DELETE', `/orders/${id}`);
    const [{ cancel_saga_id: saga }] = (await here.query<{ cancel_saga_id: string }>(
      'select cancel_saga_id from orders where id = $1',
      [id],
    )) as [{ cancel_saga_id: string }];
    await participants.play(saga, { 'stop-delivery/do': refused('already_shipped') });
    expect(await settled(id)).toMatchObject({ status: 'confirmed' });
    expect(await usesOf(code)).toEqual({ used: 1, statuses: { confirmed: 1 } });
  });

  it('is given back when its order is cancelled while it is placed, even behind the point of no return', async () => {
    const code = await putPromotion(here, percent);
    const [early, late] = [
      await place([code]),
      await place([code], { 'reserve/do': succeeded, 'charge/do': succeeded }),
    ];
    await participants.play(early, { 'reserve/undo': succeeded });
    await eventually(() => expect(participants.commandsOf(late)).toContain('confirm/do'));
    for (const id of [early, late]) await here.call('DELETE', `/orders/${id}`);
    await participants.reply(late, 'confirm/do', succeeded);
    const saga = await eventually(async () => {
      const [row] = await here.query<{ id: string }>('select cancel_saga_id as id from orders where id = $1', [late]);
      expect(row!.id).not.toBeNull();
      return row!.id;
    });
    await participants.play(saga, taken);
    for (const id of [early, late]) expect(await settled(id)).toMatchObject({ status: 'cancelled' });
    expect(await usesOf(code)).toEqual({ used: 0, statuses: { returned: 2 } });
  });

  it('of a promotion that was deleted is given back too', async () => {
    const code = await putPromotion(here, percent);
    const id = await place([code]);
    await here.call('DELETE', `/promotions/${code}`, { key: callers.operator });
    await participants.play(id, declined);
    expect(await settled(id)).toMatchObject({ status: 'cancelled' });
    expect(await usesOf(code)).toEqual({ used: 0, statuses: { returned: 1 } });
  });
});

describe('a promotion with ten uses left', () => {
  it('goes to ten of a hundred customers, the others are told, and what declined cards give back is used again', async () => {
    const [code, second] = [await putPromotion(here, { ...percent, maxUses: 10 }), await putPromotion(here, percent)];
    const carts = await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        fillCart(here, { customerId: `customer-${index}`, promotions: index % 2 ? [code, second] : [second, code] }),
      ),
    );
    const answers = await orderAll(carts);
    const made = answers.filter(({ statusCode }) => statusCode === 201).map((answer) => answer.json<OrderJson>().id);
    expect(made).toHaveLength(10);
    for (const answer of answers) if (answer.statusCode !== 201) expectProblem(answer, 409, 'promotion_used_up');
    expect(await usesOf(code)).toEqual({ used: 10, statuses: { taken: 10 } });

    // While four cards are declined, the others try again.
    const lost = carts.filter((_, index) => answers[index]!.statusCode !== 201);
    const plays = made.map((id, index) => participants.play(id, index < 4 ? declined : allSucceed));
    const again = [...(await orderAll(lost.slice(0, 45))), ...(await Promise.all(plays).then(() => []))] as Answer[];
    const orders = await Promise.all(made.map(settled));
    expect(orders.filter(({ status }) => status === 'cancelled')).toHaveLength(4);
    const more = await orderAll(lost.slice(45));
    expect([...again, ...more].filter(({ statusCode }) => statusCode === 201)).toHaveLength(4);
    const end = { used: 10, statuses: { returned: 4, confirmed: 6, taken: 4 } };
    expect([await usesOf(code), await usesOf(second)]).toEqual([end, end]);
  });

  it('makes no deadlock', async () => {
    await participants.leave();
    expect(await deadlocksAfterClosing(stack, here, there)).toBe(0);
  });
});

function orderAll(carts: readonly string[]): Promise<Answer[]> {
  return Promise.all(carts.map((id, index) => (index % 2 ? here : there).place(cartBody(id))));
}
