/** Orders that are on their way or have arrived: what becomes of a wish to cancel them, through two instances of the app. */
import { randomUUID } from 'node:crypto';
import { DeliveryDelivered, DeliveryHandedOver } from '@shop/contracts';
import { type Message, newEvent } from '@shop/messaging';
import { newTraceparent } from '@shop/observability';
import { eventually, useStack } from '@shop/testing';
import {
  callers,
  deadlocksAfterClosing,
  expectProblem,
  OrderApp,
  orderBody,
  type OrderJson,
  type TwoOrderApps,
} from '../../../testing/order-app';
import { allSucceed, allTakenBack, Participants, refused } from '../../../testing/participants';

const stack = useStack();
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

interface ShippedJson extends OrderJson {
  confirmedAt?: string;
  deliveredAt?: string;
  cancellationRefused?: string;
  placedBy?: string;
}

const read = async (id: string, key?: string) =>
  (await there.get(`/orders/${id}`, { headers: { prefer: 'wait=20' }, key })).json<ShippedJson>();

async function confirmed(): Promise<string> {
  const { id } = (await here.place(orderBody())).json<OrderJson>();
  await participants.play(id, allSucceed);
  expect(await read(id)).toMatchObject({ status: 'confirmed' });
  return id;
}

async function cancelling(id: string): Promise<string> {
  expect((await here.call('DELETE', `/orders/${id}`)).statusCode).toBe(204);
  const rows = await here.query<{ id: string }>('select cancel_saga_id as id from orders where id = $1', [id]);
  return rows[0]!.id;
}

async function refusedOne(): Promise<string> {
  const id = await confirmed();
  await participants.play(await cancelling(id), { 'stop-delivery/do': refused('already_shipped') });
  expect(await read(id)).toMatchObject({ status: 'confirmed' });
  return id;
}

const delivered = (orderId: string, tenant = 'acme'): Message =>
  newEvent(DeliveryDelivered, {
    id: `dlv_1/delivered/${randomUUID()}`,
    subject: 'dlv_1',
    traceparent: newTraceparent(),
    data: { tenant, orderId, deliveryId: 'dlv_1' },
  });

const arrived = (id: string): Promise<ShippedJson> =>
  eventually(async () => {
    const order = await read(id);
    expect(order.deliveredAt).toBeDefined();
    return order;
  });

describe('R9 an order whose delivery cannot be stopped any more', () => {
  it('is confirmed again, says why, and no money was touched', async () => {
    const id = await confirmed();
    const before = await read(id);
    expect(before.confirmedAt).toEqual(expect.any(String));
    const saga = await cancelling(id);
    await eventually(() =>
      expect(participants.bodyOf(saga, 'stop-delivery/do')).toEqual({ tenant: 'acme', orderId: id }),
    );
    expect((await here.get(`/orders/${id}`)).json()).toMatchObject({
      status: 'cancelling',
      reason: 'cancelled_by_client',
    });
    await participants.play(saga, { 'stop-delivery/do': refused('already_shipped') });
    const after = await read(id);
    expect(after).toMatchObject({ status: 'confirmed', cancellationRefused: 'already_shipped' });
    expect([after.reason, after.confirmedAt]).toEqual([undefined, before.confirmedAt]);
    expect(participants.commandsOf(saga)).toEqual(['stop-delivery/do']);
    expect((await here.get(`/orders/${id}/saga`)).json()).toMatchObject({
      status: 'completed',
      cancelledBy: { definition: 'cancel-order', version: 2, status: 'compensated', reason: 'already_shipped' },
    });
    expect((await here.get(`/orders/${id}/view`)).json()).toMatchObject({
      order: { cancellationRefused: 'already_shipped' },
      progress: { status: 'confirmed', percent: 100, text: expect.stringMatching(/could not be cancelled any more/) },
    });
  });

  it('ends the stream of its events, with the move that says so', async () => {
    const id = await confirmed();
    const saga = await cancelling(id);
    const stream = there.get(`/orders/${id}/events`);
    await participants.play(saga, { 'stop-delivery/do': refused('already_shipped') });
    expect((await stream).body).toMatch(/cancel-order\/2\n.*\n.*"event":"do.refused".*already_shipped/);
  });

  it('is not asked for again: whoever cancels is told at once, however often', async () => {
    const id = await refusedOne();
    const answers = await Promise.all([here, there, here].map((app) => app.call('DELETE', `/orders/${id}`)));
    for (const answer of answers) expectProblem(answer, 409, 'already_shipped');
    const sagas = await here.query(`select from saga where definition = 'cancel-order' and data ->> 'orderId' = $1`, [
      id,
    ]);
    expect(sagas).toHaveLength(1);
  });

  it('answers those who name an old version as they are answered everywhere', async () => {
    const id = await refusedOne();
    const headers = { 'if-match': '"1"' };
    expectProblem(await here.call('DELETE', `/orders/${id}`, { headers }), 412, 'precondition_failed');
  });

  it('was cancelled all the same when the carrier brought it back', async () => {
    const id = await confirmed();
    await participants.play(await cancelling(id), allTakenBack);
    const order = await read(id);
    expect(order).toMatchObject({ status: 'cancelled', reason: 'cancelled_by_client' });
    expect([order.cancellationRefused, typeof order.confirmedAt]).toEqual([undefined, 'string']);
    expect((await here.call('DELETE', `/orders/${id}`)).statusCode).toBe(204);
  });
});

describe('an order that has arrived', () => {
  it('says when, once, however often it is told, and is not cancelled any more', async () => {
    const id = await confirmed();
    await participants.tell(delivered(id), 'fulfilment');
    const order = await arrived(id);
    expect(order).toMatchObject({ status: 'confirmed' });
    const etag = (await here.get(`/orders/${id}`)).headers['etag'];
    const other = await confirmed();
    for (let time = 0; time < 3; time++) await participants.tell(delivered(id), 'fulfilment');
    await participants.tell(delivered(other), 'fulfilment');
    await arrived(other);
    expect((await here.get(`/orders/${id}`)).headers['etag']).toBe(etag);
    expect((await read(id)).deliveredAt).toBe(order.deliveredAt);
    expectProblem(await here.call('DELETE', `/orders/${id}`), 409, 'already_shipped');
    expect((await here.get(`/orders/${id}/view`)).json()).toMatchObject({
      progress: { status: 'confirmed', text: 'Your order was delivered.' },
    });
  });

  it('while it is being cancelled, is decided on by the saga', async () => {
    const id = await confirmed();
    const saga = await cancelling(id);
    await participants.tell(delivered(id), 'fulfilment');
    await eventually(async () =>
      expect((await here.get(`/orders/${id}`)).json()).toMatchObject({
        status: 'cancelling',
        deliveredAt: expect.any(String),
      }),
    );
    expect((await here.call('DELETE', `/orders/${id}`)).statusCode).toBe(204);
    await participants.play(saga, { 'stop-delivery/do': refused('already_shipped') });
    expect(await read(id)).toMatchObject({ status: 'confirmed', cancellationRefused: 'already_shipped' });
  });

  it('is heard of behind what nobody can use, and behind what is nobody’s', async () => {
    const id = await confirmed();
    const { tenant, orderId } = delivered(id).data as { tenant: string; orderId: string };
    await participants.tell('not even JSON', 'fulfilment');
    await participants.tell({ ...delivered(id), data: { tenant } }, 'fulfilment');
    await participants.tell({ ...delivered(id), type: 'fulfilment.delivery.lost.v1' }, 'fulfilment');
    await participants.tell(delivered(randomUUID()), 'fulfilment');
    await participants.tell(delivered(orderId, 'rival'), 'fulfilment');
    await participants.tell({ ...delivered(id), type: DeliveryHandedOver.type }, 'fulfilment');
    const other = await confirmed();
    await participants.tell(delivered(other), 'fulfilment');
    await arrived(other);
    expect((await read(id)).deliveredAt).toBeUndefined();
  });

  it('tells operators who has placed it, and nobody else', async () => {
    const id = await confirmed();
    expect(await read(id, callers.operator)).toMatchObject({ placedBy: 'alice' });
    expect(Object.keys(await read(id))).not.toContain('placedBy');
  });

  it('makes no deadlock when many arrive while many are cancelled', async () => {
    const ids = await Promise.all(Array.from({ length: 20 }, confirmed));
    const sagas = await Promise.all(ids.map(cancelling));
    const late = refused('already_shipped');
    await Promise.all([
      ...sagas.map((saga) => participants.play(saga, { 'stop-delivery/do': late })),
      ...ids.toReversed().map((id) => participants.tell(delivered(id), 'fulfilment')),
    ]);
    for (const id of ids) expect(await arrived(id)).toMatchObject({ status: 'confirmed' });
    await participants.leave();
    expect(await deadlocksAfterClosing(stack, here, there)).toBe(0);
  });
});
