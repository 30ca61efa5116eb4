/** Finding sagas by any id, over HTTP, with a payment service that answers, does not know, or is away. */
import { randomUUID } from 'node:crypto';
import { answersWith, FakeNeighbour } from '@shop/service/testing';
import type { Stack } from '@shop/stack';
import { eventually, useStack } from '@shop/testing';
import {
  callers,
  expectProblem,
  OrderApp,
  orderBody,
  type OrderJson,
  startOwnBroker,
} from '../../../testing/order-app';
import { allSucceed, allTakenBack, Participants } from '../../../testing/participants';

const stack = useStack();
let broker: Stack;
let participants: Participants;
let payment: FakeNeighbour;
let app: OrderApp;

beforeAll(async () => {
  broker = await startOwnBroker(stack);
  participants = await Participants.join(broker.natsUrl);
  payment = await FakeNeighbour.open();
  const urls = { databaseUrl: stack.databaseUrl, natsUrl: broker.natsUrl };
  app = await OrderApp.start(urls, {
    PAYMENT_URL: payment.url,
    NEIGHBOUR_KEY: 'key-of-order',
    NEIGHBOUR_TIMEOUT_MS: '2000',
  });
  await app.putProduct('cup', 1_200);
});
afterAll(async () => {
  await app.close();
  await payment.close();
  await participants.leave();
  await broker.stop();
});

interface Page {
  items: { id: string; orderId: string; customerId: string; status: string; definition: string }[];
  next: string | null;
  degraded: string[];
}

async function find(q: string, more = '', key: string = callers.operator): Promise<Page> {
  const answer = await app.get(`/sagas?q=${encodeURIComponent(q)}${more}`, { key });
  expect(answer.statusCode).toBe(200);
  return answer.json<Page>();
}
const idsOf = ({ items }: Page) => items.map(({ id }) => id);

/** Other orders of the same customer, without sagas. */
async function copyOrder(id: string, copies: { from: number; to: number }): Promise<void> {
  await app.query(
    `insert into orders select copy.* from orders o, generate_series($2::int, $3::int) number, jsonb_populate_record(null::orders,
       to_jsonb(o) || jsonb_build_object('id', md5(number || o.id::text)::uuid, 'placed_as', null)) copy
     where o.id = $1`,
    [id, copies.from, copies.to],
  );
}

describe('R49 an operator finds the sagas of an order', () => {
  const customer = `c-${randomUUID()}`;
  const key = randomUUID();
  let id: string;
  let cancelling: string;
  beforeAll(async () => {
    id = (await app.place(orderBody({ customerId: customer }), { idempotencyKey: key })).json<OrderJson>().id;
    await participants.play(id, allSucceed);
    const settled = async (status: string) =>
      eventually(async () => expect((await app.get(`/orders/${id}`)).json()).toMatchObject({ status }));
    await settled('confirmed');
    await app.call('DELETE', `/orders/${id}`);
    await eventually(async () => expect((await find(id)).items).toHaveLength(2));
    cancelling = (await find(id)).items.find(({ definition }) => definition === 'cancel-order')!.id;
    await participants.play(cancelling, allTakenBack);
    await settled('cancelled');
  });

  it('R49 by the id of the order and of each saga, ended ones too, newest first', async () => {
    const found = await find(id.toUpperCase());
    expect(found).toMatchObject({ next: null, degraded: [] });
    expect(found.items).toMatchObject([
      { id: cancelling, definition: 'cancel-order', status: 'completed', orderId: id, customerId: customer },
      { id, definition: 'place-order', status: 'completed', orderId: id, customerId: customer },
    ]);
    expect(idsOf(await find(cancelling))).toEqual([cancelling]);
    expect(idsOf(await find(id, '&status=open'))).toEqual([]);
    expect(idsOf(await find(id, '&definition=cancel-order'))).toEqual([cancelling]);
  });

  it('R49 by the customer, and by the key with which it was placed', async () => {
    expect(idsOf(await find(customer))).toEqual([cancelling, id]);
    // Not by a look at the whole table.
    const looks = `select idx_scan::int as looks from pg_stat_user_indexes where indexrelname = 'orders_of_customer'`;
    await eventually(async () => expect((await app.query<{ looks: number }>(looks))[0]!.looks).toBeGreaterThan(0));
    expect(idsOf(await find(` ${key} `))).toEqual([cancelling, id]);
    // By the id of the client, which is the key of a PUT.
    const own = randomUUID();
    await app.put(`/orders/${own}`, orderBody({ customerId: customer }));
    const [third] = (await find(own)).items;
    expect(third).toMatchObject({ orderId: own });
    const page = await find(customer, '&limit=2');
    expect(idsOf(page)).toEqual([third!.id, cancelling]);
    expect(idsOf(await find(customer, `&limit=2&cursor=${page.next}`))).toEqual([id]);
  });

  it('R49 by a customer who has very many, and says that older ones may be missing', async () => {
    const busy = `c-${randomUUID()}`;
    const first = (await app.place(orderBody({ customerId: busy }))).json<OrderJson>().id;
    await copyOrder(first, { from: 1, to: 98 });
    expect(await find(busy)).toMatchObject({ items: [{ orderId: first }], degraded: [] });
    await copyOrder(first, { from: 99, to: 99 });
    expect(await find(busy)).toMatchObject({ items: [{ orderId: first }], degraded: ['older-orders'] });
  });

  it('R49 by the payment, and by what the provider calls it', async () => {
    payment.way = answersWith(200, { id: 'pmt_1', orderId: id, status: 'refunded' });
    expect(idsOf(await find('pmt_1'))).toEqual([cancelling, id]);
    payment.way = answersWith(200, { items: [{ id: 'pmt_1', orderId: id }, { id: 'pmt_2' }] });
    expect(idsOf(await find('pi_3MtwBwLkdIwHu7ix28a3tqPa'))).toEqual([cancelling, id]);
    const heard = payment.heard.slice(-2).map(({ url }) => url);
    expect(heard).toEqual(['/payments/pmt_1', '/payments?reference=pi_3MtwBwLkdIwHu7ix28a3tqPa&limit=10']);
    payment.way = answersWith(404, { code: 'payment_not_found' });
    expect(await find('pmt_9')).toEqual({ items: [], next: null, degraded: [] });
  });

  it('R49 as far as it is known while payment is away, and payment is not asked for what it cannot know', async () => {
    payment.way = answersWith(503, {});
    expect(await find('pmt_1')).toEqual({ items: [], next: null, degraded: ['payment'] });
    const before = payment.heard.length;
    expect((await find(id)).items).toHaveLength(2);
    expect((await find(customer)).degraded).toEqual([]);
    expect(payment.heard).toHaveLength(before);
  });

  it('R54 of its own tenant only, and nobody finds what is nowhere', async () => {
    payment.way = answersWith(200, { id: 'pmt_1', orderId: id });
    for (const q of [id, cancelling, customer, key, 'pmt_1']) {
      expect((await find(q, '', callers.rival)).items).toEqual([]);
    }
    for (const q of [randomUUID(), 'nobody', `${customer}x`, '%', "'", 'é']) expect((await find(q)).items).toEqual([]);
    expectProblem(await app.get('/sagas?q=%20', { key: callers.operator }), 400, 'validation_failed');
  });
});
