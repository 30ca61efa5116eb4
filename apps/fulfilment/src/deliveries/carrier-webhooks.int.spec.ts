/** Events of the carrier: signed or forged, repeated, out of order, and those that never come. */
import { randomUUID } from 'node:crypto';
import { expectProblem } from '@shop/http/testing';
import { eventually, useStack } from '@shop/testing';
import { DeliveryWorld, type Placed } from '../../testing/delivery-world';
import type { FakeShipment } from '../../testing/fake-carrier';

const stack = useStack();
let world: DeliveryWorld;

beforeAll(async () => {
  world = await DeliveryWorld.open(stack);
});
afterAll(() => world.close());

const HANDED_OVER = 'fulfilment.delivery.handed-over.v1';
const DELIVERED = 'fulfilment.delivery.delivered.v1';
const shipmentOf = ({ id }: Placed): FakeShipment => world.carrier.of(id)!;
const mailsOf = ({ orderId }: Placed) =>
  world.client.query<{ template: string; customer_id: string; data: object }>(
    'select template, customer_id, data from notification where order_id = $1',
    [orderId],
  );

describe('R40 an event of the carrier', () => {
  it('R40 that a parcel has arrived is told to others, and to the customer, once', async () => {
    const order = await world.handedOver();
    const shipment = shipmentOf(order);
    const answer = await world.hook(shipment, { status: 'delivered' });
    expect([answer.statusCode, answer.json()]).toEqual([200, { received: true }]);
    const row = await world.row(order);
    expect(row).toMatchObject({ status: 'delivered', next_at: null });
    expect(await world.told(order)).toMatchObject([
      { type: HANDED_OVER },
      {
        id: `${order.id}/delivered`,
        type: DELIVERED,
        data: { tenant: 'acme', orderId: order.orderId, deliveryId: order.id },
      },
    ]);
    expect(await mailsOf(order)).toEqual([
      { template: 'order-delivered', customer_id: row.customer_id, data: { trackingNumber: shipment.trackingNumber } },
    ]);
  });

  it('R22 R40 that is repeated, also by another event about the same, changes nothing', async () => {
    const order = await world.handedOver();
    const id = `evt_${randomUUID()}`;
    const all = [{ id }, { id }, {}, { id }, {}].map((more) =>
      world.hook(shipmentOf(order), { status: 'delivered', ...more }),
    );
    expect((await Promise.all(all)).map(({ statusCode }) => statusCode)).toEqual([200, 200, 200, 200, 200]);
    expect([await world.toldTypes(order), (await mailsOf(order)).length]).toEqual([[HANDED_OVER, DELIVERED], 1]);
  });

  it('R40 comes in any order, and the parcel goes only forward', async () => {
    const order = await world.handedOver();
    for (const status of ['delivered', 'in_transit', 'accepted']) {
      expect((await world.hook(shipmentOf(order), { status })).statusCode).toBe(200);
    }
    expect((await world.row(order)).status).toBe('delivered');
    expect(await world.toldTypes(order)).toEqual([HANDED_OVER, DELIVERED]);
  });

  it('R40 tells of a parcel before the answer to the request that it be taken', async () => {
    const order = await world.inDoubt({ status: 500 });
    await world.hook(world.carrier.add(order.id), { status: 'delivered' });
    expect(await world.row(order)).toMatchObject({ status: 'delivered', last_error: null, attempts: 1 });
    expect(await world.toldTypes(order)).toEqual([HANDED_OVER, DELIVERED]);
  });

  it('R40 that never comes is made up for by asking', async () => {
    const order = await world.handedOver();
    shipmentOf(order).status = 'delivered';
    await world.isDue(order);
    await world.comesTo(order, 'delivered');
    expect([await world.toldTypes(order), (await mailsOf(order)).length]).toEqual([[HANDED_OVER, DELIVERED], 1]);
  });

  it('R40 that is still to come is asked for again later, and not at once', async () => {
    const order = await world.handedOver();
    await world.change(order, `next_at = now(), handed_over_at = now() - interval '10 hours', last_error = 'any'`);
    await eventuallyLooked(order);
    const { next_at } = await world.row(order);
    const [{ hours }] = (await world.client.query<{ hours: number }>(
      `select extract(epoch from $1::timestamptz - now())::float8 / 3600 as hours`,
      [next_at],
    )) as [{ hours: number }];
    expect(Math.round(hours)).toBe(5);
  });

  it('R40 about a parcel that nobody here has sent is taken, and nothing is done', async () => {
    const nobodys = { ...world.carrier.add(`dlv_${randomUUID()}`) };
    expect((await world.hook(nobodys, { status: 'delivered' })).statusCode).toBe(200);
  });

  it('R40 that a parcel came back by itself is written, and a person is told', async () => {
    const order = await world.handedOver();
    await world.hook(shipmentOf(order), { status: 'recalled' });
    expect(await world.row(order)).toMatchObject({ status: 'recalled', last_error: 'recalled_unasked' });
  });

  it('R54 is not believed without the signature of the carrier, and says nothing then', async () => {
    const order = await world.handedOver();
    const body = JSON.stringify({
      id: 'evt_1',
      type: 'shipment.delivered',
      data: { shipment: { ...shipmentOf(order), status: 'delivered' } },
    });
    expectProblem(await world.post(body, 'whsec_of_somebody_else'), 400, 'signature_invalid');
    expectProblem(await world.post(body, undefined, 3_600), 400, 'signature_invalid');
    expectProblem(await world.client.call('POST', '/webhooks/carrier', { key: null, body }), 400, 'signature_invalid');
    expect((await world.row(order)).status).toBe('handed_over');
  });

  it.each<[string, string]>([
    ['no JSON', '{'],
    ['a number', '7'],
    ['no event', '{}'],
    ['no shipment', '{"id":"evt_1","type":"shipment.delivered","data":{}}'],
    [
      'a state that nobody knows',
      '{"id":"evt_1","type":"shipment.lost","data":{"shipment":{"id":"a","reference":"b","status":"lost"}}}',
    ],
  ])('R54 is refused when it is signed and has %s in it', async (_, body) => {
    expectProblem(await world.post(body), 400, 'malformed_request');
  });

  it('R14 with the id of another event is refused', async () => {
    const [one, other] = [await world.handedOver(), await world.handedOver()];
    const id = `evt_${randomUUID()}`;
    await world.hook(shipmentOf(one), { id, status: 'delivered' });
    expectProblem(await world.hook(shipmentOf(other), { id, status: 'delivered' }), 409, 'event_id_reused');
    expect((await world.row(other)).status).toBe('handed_over');
  });
});

async function eventuallyLooked(order: Placed): Promise<void> {
  await eventually(async () => expect((await world.row(order)).last_error).toBeNull());
}
