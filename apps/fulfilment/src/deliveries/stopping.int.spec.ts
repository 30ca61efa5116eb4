/** The stop of a delivery at each moment of its way, also while nobody knows what the carrier has. */
import { randomUUID } from 'node:crypto';
import type { Reply } from '@shop/messaging';
import { RetryableError } from '@shop/resilience';
import { eventually, useStack } from '@shop/testing';
import { DeliveryWorld, type Placed } from '../../testing/delivery-world';

const stack = useStack();
let world: DeliveryWorld;

beforeAll(async () => {
  world = await DeliveryWorld.open(stack, { replicas: 2 });
});
beforeEach(() => {
  world.carrier.faults = [];
  world.carrier.refusesRecalls = false;
});
afterAll(() => world.close());

const done = (result: string, { id }: Placed): Reply => ({ outcome: 'succeeded', result: { result, deliveryId: id } });
const shipped: Reply = { outcome: 'refused', reason: 'already_shipped' };
const shipmentOf = ({ id }: Placed) => world.carrier.of(id);

/** Sends the command again and again, as a saga does, until it is answered. */
async function stopAtLast(order: Placed): Promise<Reply> {
  const saga = randomUUID();
  let reply: Reply | undefined;
  await eventually(async () => {
    reply = await world.stop(order, { saga, replica: 1 });
  });
  return reply!;
}

describe('R3 R40 the stop of a delivery', () => {
  it('R40 that waits ends it, and the carrier never hears of it', async () => {
    const order = world.newOrder();
    await world.keepWaiting(order);
    expect(await world.stop(order)).toEqual(done('stopped', order));
    expect(await world.row(order)).toMatchObject({ status: 'stopped', asked: false, next_at: null });
    await world.takeOn(order);
    expect((await world.row(order)).status).toBe('stopped');
    expect(shipmentOf(order)).toBeUndefined();
  });

  it('R3 R40 that comes before the order is heard of keeps it from ever being handed over', async () => {
    const order = world.newOrder();
    expect(await world.stop(order)).toEqual(done('never_begun', order));
    await world.takeOn(order);
    expect(await world.row(order)).toMatchObject({ status: 'stopped', asked: false, next_at: null });
    expect(await world.stop(order)).toEqual(done('stopped', order));
  });

  it('R12 R40 is answered alike however often it comes', async () => {
    const order = await world.handedOver();
    const saga = randomUUID();
    const replies = [];
    for (const replica of [0, 1, 0]) replies.push(await world.stop(order, { saga, replica }));
    expect(replies).toEqual(Array(3).fill(done('recalled', order)));
    expect(world.carrier.asked.filter(({ path }) => path.endsWith(`${shipmentOf(order)!.id}/recall`))).toHaveLength(1);
  });

  it('R40 of an order of before this service succeeds, because nothing of it is here', async () => {
    const order = world.newOrder();
    await world.takeOn(order, { suppressed: true });
    expect(await world.stop(order)).toEqual(done('elsewhere', order));
  });

  it('R40 races with the order that is just confirmed, and one of the two is first', async () => {
    const orders = Array.from({ length: 20 }, () => world.newOrder());
    const replies = await Promise.all(
      orders.map(async (order) => {
        const [, reply] = await Promise.all([world.takeOn(order), stopAtLast(order)]);
        return reply;
      }),
    );
    for (const [index, order] of orders.entries()) {
      expect(replies[index]).toMatchObject({ outcome: 'succeeded' });
      expect(['stopped', 'recalled']).toContain((await world.row(order)).status);
      expect([undefined, 'recalled']).toContain(shipmentOf(order)?.status);
    }
  });
});

describe('R40 the stop of a delivery that the carrier has', () => {
  it('R40 brings it back', async () => {
    const order = await world.handedOver();
    expect(await world.stop(order)).toEqual(done('recalled', order));
    expect([(await world.row(order)).status, shipmentOf(order)?.status]).toEqual(['recalled', 'recalled']);
    expect(await world.stop(order)).toEqual(done('recalled', order));
  });

  it('R40 is refused when the carrier does not bring it back, and the delivery goes on', async () => {
    const order = await world.handedOver();
    world.carrier.refusesRecalls = true;
    expect(await world.stop(order)).toEqual(shipped);
    const row = await world.row(order);
    expect(row).toMatchObject({ status: 'handed_over', stop_wanted: false });
    expect(row.next_at).not.toBeNull();
    shipmentOf(order)!.status = 'delivered';
    await world.hook(shipmentOf(order)!);
    expect((await world.row(order)).status).toBe('delivered');
  });

  it('R40 is refused when it has arrived, also when nobody has told so yet', async () => {
    const [told, untold] = [await world.handedOver(), await world.handedOver()];
    for (const order of [told, untold]) shipmentOf(order)!.status = 'delivered';
    await world.hook(shipmentOf(told)!);
    expect([await world.stop(told), await world.stop(untold)]).toEqual([shipped, shipped]);
    expect((await world.row(untold)).status).toBe('delivered');
    expect(await world.toldTypes(untold)).toEqual([
      'fulfilment.delivery.handed-over.v1',
      'fulfilment.delivery.delivered.v1',
    ]);
  });

  it('R18 R40 waits as long as the carrier does not answer, and is wanted meanwhile', async () => {
    const order = await world.handedOver();
    const saga = randomUUID();
    world.carrier.failing = { status: 503 };
    await expect(world.stop(order, { saga })).rejects.toBeInstanceOf(RetryableError);
    expect(await world.row(order)).toMatchObject({ status: 'handed_over', stop_wanted: true });
    world.carrier.failing = undefined;
    expect(await world.stop(order, { saga, replica: 1 })).toEqual(done('recalled', order));
  });

  it('R18 R40 finds out that its lost recall was carried out', async () => {
    const order = await world.handedOver();
    world.carrier.faults = ['lost'];
    expect(await world.stop(order)).toEqual(done('recalled', order));
  });
});

describe('R40 the stop of a delivery of which nobody knows whether the carrier has it', () => {
  it('R4 R40 waits while the carrier is being asked to take it, and brings it back then', async () => {
    const order = world.newOrder();
    world.carrier.faults = ['held'];
    await world.takeOn(order);
    await eventually(() => expect(world.carrier.holding).toBe(1));
    const saga = randomUUID();
    await expect(world.stop(order, { saga })).rejects.toBeInstanceOf(RetryableError);
    expect(await world.row(order)).toMatchObject({ status: 'handing_over', stop_wanted: true });
    world.carrier.letGo();
    await world.comesTo(order, 'handed_over');
    expect(await world.stop(order, { saga })).toEqual(done('recalled', order));
    expect(shipmentOf(order)?.status).toBe('recalled');
  });

  it('R40 finds out that the carrier has it, and brings it back', async () => {
    const order = await world.inDoubt('lost');
    expect(await world.stop(order)).toEqual(done('recalled', order));
    expect(shipmentOf(order)?.status).toBe('recalled');
  });

  it('R40 finds out that the carrier has nothing, and never makes what it stops', async () => {
    const order = await world.inDoubt({ status: 500 });
    expect(await world.stop(order)).toEqual(done('stopped', order));
    expect(shipmentOf(order)).toBeUndefined();
    expect(await world.row(order)).toMatchObject({ status: 'stopped', asked: true });
  });

  it('R40 does not believe that the carrier has nothing when it was shown otherwise meanwhile', async () => {
    const order = await world.inDoubt({ status: 500 });
    world.carrier.holdsLookUp = true;
    const saga = randomUUID();
    const early = expect(world.stop(order, { saga })).rejects.toBeInstanceOf(RetryableError);
    await eventually(() => expect(world.carrier.holding).toBe(1));
    await world.hook(world.carrier.add(order.id));
    expect((await world.row(order)).status).toBe('handed_over');
    world.carrier.letGo();
    await early;
    expect(await world.row(order)).toMatchObject({ status: 'handed_over', stop_wanted: true, last_error: null });
    expect(await world.stop(order, { saga })).toEqual(done('recalled', order));
    expect(shipmentOf(order)?.status).toBe('recalled');
  });

  it('R40 says that the carrier has lost it when it still has nothing then', async () => {
    const order = await world.handedOver();
    world.carrier.shipments.delete(shipmentOf(order)!.id);
    expect(await world.stop(order)).toEqual(done('stopped', order));
    expect((await world.row(order)).last_error).toBe('lost_by_carrier');
  });

  it('R40 ends one that is parked', async () => {
    const order = world.newOrder();
    world.carrier.faults = [{ status: 422, code: 'address_incomplete' }];
    await world.takeOn(order);
    await world.comesTo(order, 'parked');
    expect(await world.stop(order)).toEqual(done('stopped', order));
    const headers = { 'idempotency-key': randomUUID() };
    expect((await world.client.call('POST', `/deliveries/${order.id}/retry`, { headers })).statusCode).toBe(409);
  });

  describe('and whose request arrives behind the stop', () => {
    async function stray(): Promise<Placed> {
      const order = await world.inDoubt({ status: 500 });
      expect(await world.stop(order)).toEqual(done('stopped', order));
      world.carrier.add(order.id);
      return order;
    }

    it('R40 is brought back when the carrier tells of it', async () => {
      const order = await stray();
      await world.hook(shipmentOf(order)!);
      await world.comesTo(order, 'recalled');
      expect(shipmentOf(order)?.status).toBe('recalled');
      expect(await world.toldTypes(order)).toEqual([]);
    });

    it('R40 is brought back when nobody tells of it', async () => {
      const order = await stray();
      await world.isDue(order);
      await world.comesTo(order, 'recalled');
    });

    it('R40 is told as it is, and to a person, when it cannot be brought back', async () => {
      const order = await stray();
      world.carrier.refusesRecalls = true;
      await world.isDue(order);
      await world.comesTo(order, 'handed_over');
      expect((await world.row(order)).last_error).toBe('on_its_way_after_stop');
    });
  });
});
