/** Deliveries on their way to a carrier that answers late, wrongly, or not at all. */
import { expectProblem } from '@shop/http/testing';
import { eventually, useStack } from '@shop/testing';
import { DeliveryWorld, type Placed } from '../../testing/delivery-world';
import type { Fault } from '../../testing/fake-carrier';

const stack = useStack();
let world: DeliveryWorld;

beforeAll(async () => {
  world = await DeliveryWorld.open(stack, { replicas: 2 });
});
afterAll(() => world.close());

const takesOf = ({ id }: Placed) => world.carrier.takes.filter(({ body }) => body?.['reference'] === id);
const shipmentsOf = ({ id }: Placed) =>
  [...world.carrier.shipments.values()].filter(({ reference }) => reference === id);

async function leaseOf({ id }: Placed): Promise<{ token: string; isLong: boolean }> {
  const [row] = await world.client.query<{ token: string; isLong: boolean }>(
    `select lease_token as token, leased_until > now() + interval '10 seconds' as "isLong" from delivery where id = $1`,
    [id],
  );
  return row!;
}

describe('R40 a delivery', () => {
  it('R40 is handed over once, to the address of the profile, of which nothing is kept', async () => {
    const order = world.newOrder();
    const address = { line1: '1 Main Street', postalCode: '10115', city: 'Berlin', country: 'DE' };
    world.profiles.set('carl', { address });
    await world.takeOn(order, { customerId: 'carl' });
    await world.comesTo(order, 'handed_over');
    expect(takesOf(order)).toMatchObject([
      {
        key: order.id,
        body: {
          reference: order.id,
          service: 'home',
          recipient: { name: 'Carl', address },
          lines: [{ sku: 'mug', quantity: 2 }],
        },
      },
    ]);
    const [shipment] = shipmentsOf(order);
    const row = await world.row(order);
    expect(row).toMatchObject({
      service: 'home',
      carrier_reference: shipment!.id,
      tracking_number: shipment!.trackingNumber,
      label_url: shipment!.labelUrl,
      attempts: 1,
      last_error: null,
    });
    expect(JSON.stringify(row)).not.toMatch(/Main Street|Berlin|Carl/);
    expect(await world.told(order)).toMatchObject([
      {
        id: `${order.id}/handed-over`,
        type: 'fulfilment.delivery.handed-over.v1',
        data: {
          tenant: 'acme',
          orderId: order.orderId,
          deliveryId: order.id,
          trackingNumber: shipment!.trackingNumber,
        },
      },
    ]);
  });

  it('R40 of a customer without an address, or whom nobody knows, is fetched at the pick-up point', async () => {
    world.profiles.set('dora', {});
    const [withProfile, without] = [world.newOrder(), world.newOrder()];
    await world.takeOn(withProfile, { customerId: 'dora' });
    await world.takeOn(without);
    for (const order of [withProfile, without]) {
      await world.comesTo(order, 'handed_over');
      expect(takesOf(order)[0]!.body).not.toHaveProperty('recipient');
      expect((await world.row(order)).service).toBe('pick-up');
    }
  });

  it('R20 R40 that is taken on again and again, by several at once, is one', async () => {
    const order = world.newOrder();
    await Promise.all(Array.from({ length: 8 }, () => world.takeOn(order)));
    await world.comesTo(order, 'handed_over');
    await world.takeOn(order);
    expect([takesOf(order).length, shipmentsOf(order).length]).toEqual([1, 1]);
    expect((await world.row(order)).status).toBe('handed_over');
  });

  it('R40 of an order of before this service is never handed over', async () => {
    const order = world.newOrder();
    await world.takeOn(order, { suppressed: true });
    expect(await world.row(order)).toMatchObject({ status: 'elsewhere', asked: false, next_at: null });
  });

  it('R40 waits while nobody tells its address', async () => {
    const { way } = world.order;
    world.order.way = (response) => void response.writeHead(503).end();
    const order = world.newOrder();
    await world.takeOn(order);
    await world.isPutOff(order);
    world.order.way = way;
    // The carrier need not be asked for a stop either.
    expect(await world.row(order)).toMatchObject({ status: 'waiting', asked: false, attempts: 1 });
    expect(takesOf(order)).toEqual([]);
    await world.isDue(order);
    await world.comesTo(order, 'handed_over');
  });

  it.each<[string, Fault]>([
    ['fails', { status: 500 }],
    ['is overrun', { status: 429, retryAfter: '0' }],
    ['cuts the connection', 'reset'],
    ['does not know our key', { status: 401 }],
    ['is somebody else', { status: 404 }],
    ['answers what nobody understands', { status: 200 }],
  ])('R40 R43 is handed over later when the carrier %s', async (_, fault) => {
    const order = await world.inDoubt(fault);
    await world.isDue(order);
    await world.comesTo(order, 'handed_over');
    expect([shipmentsOf(order).length, (await world.toldTypes(order)).length]).toEqual([1, 1]);
  });

  it('R43 is left alone as long as the carrier asks for', async () => {
    const order = await world.inDoubt({ status: 429, retryAfter: '600' }, { keeps: true });
    const [row] = await world.client.query<{ seconds: number }>(
      'select extract(epoch from next_at - now())::float8 as seconds from delivery where id = $1',
      [order.id],
    );
    expect(row!.seconds).toBeGreaterThan(500);
  });

  it('R40 is not taken by anybody else while the carrier is slower than a lease', async () => {
    const order = world.newOrder();
    world.carrier.faults = ['held'];
    await world.takeOn(order);
    await eventually(() => expect(world.carrier.holding).toBe(1));
    const before = await leaseOf(order);
    await world.change(order, `leased_until = now() + interval '6 seconds', next_at = now() + interval '6 seconds'`);
    // Whoever has it extends it in time, every few seconds.
    await eventually(async () => expect(await leaseOf(order)).toEqual({ token: before.token, isLong: true }), {
      timeoutMs: 20_000,
    });
    world.carrier.letGo();
    await world.comesTo(order, 'handed_over');
  });

  it('R40 R45 is there once when the answer is lost, within one call and behind it', async () => {
    const order = world.newOrder();
    world.carrier.faults = ['lost'];
    await world.takeOn(order);
    await world.comesTo(order, 'handed_over');
    expect([takesOf(order).length, shipmentsOf(order).length]).toEqual([2, 1]);
  });

  it('R40 R45 is looked up before it is asked for again, because the carrier may have forgotten the key', async () => {
    const order = await world.inDoubt('lost');
    world.carrier.forgetKeys();
    await world.isDue(order);
    await world.comesTo(order, 'handed_over');
    expect(shipmentsOf(order)).toHaveLength(1);
    expect(await world.toldTypes(order)).toEqual(['fulfilment.delivery.handed-over.v1']);
  });

  it('R40 is finished by another when its worker has died, whether the carrier had it or not', async () => {
    const [asked, unasked] = [world.newOrder(), world.newOrder()];
    for (const order of [asked, unasked]) {
      await world.keepWaiting(order);
      await world.change(
        order,
        `status = 'handing_over', asked = true, attempts = 1, lease_token = gen_random_uuid(),
         leased_until = now() - interval '1 second'`,
      );
    }
    world.carrier.add(asked.id);
    await Promise.all([world.isDue(asked), world.isDue(unasked)]);
    await Promise.all([world.comesTo(asked, 'handed_over'), world.comesTo(unasked, 'handed_over')]);
    expect([takesOf(asked).length, takesOf(unasked).length]).toEqual([0, 1]);
  });

  it('R40 of many is each handed over once by two replicas, although half of the requests fail', async () => {
    const orders = Array.from({ length: 60 }, () => world.newOrder());
    const faults: Fault[] = ['lost', { status: 500 }, 'reset'];
    world.carrier.faults = orders.map((_, index) => faults[index % faults.length]!);
    await Promise.all(orders.map((order) => world.takeOn(order)));
    await eventually(
      async () => {
        for (const order of orders) {
          const { status, last_error } = await world.row(order);
          if (status === 'handing_over' && last_error !== null) await world.isDue(order);
          expect(status).toBe('handed_over');
        }
      },
      { timeoutMs: 60_000 },
    );
    expect(orders.filter((order) => shipmentsOf(order).length !== 1)).toEqual([]);
    for (const order of orders) expect(await world.toldTypes(order)).toHaveLength(1);
  });
});

describe('R40 a delivery that the carrier refuses', () => {
  it('R40 is parked with the reason, and handed over when an operator says that it is mended', async () => {
    const order = world.newOrder();
    world.carrier.faults = [{ status: 422, code: 'address_incomplete' }];
    await world.takeOn(order);
    await world.comesTo(order, 'parked');
    expect(await world.row(order)).toMatchObject({ last_error: 'address_incomplete', next_at: null });
    const url = `/deliveries/${order.id}/retry`;
    const retry = (key: string) => world.client.call('POST', url, { headers: { 'idempotency-key': key } });
    const first = await retry('mended');
    expect([first.statusCode, first.json()]).toEqual([200, { id: order.id, status: 'waiting' }]);
    await world.comesTo(order, 'handed_over');
    expect([(await retry('mended')).body, shipmentsOf(order).length]).toEqual([first.body, 1]);
    expectProblem(await retry('again'), 409, 'delivery_not_parked');
  });

  it('R40 is not parked when an earlier try of the same call was taken', async () => {
    const order = world.newOrder();
    world.carrier.faults = ['lost', { status: 422, code: 'known' }];
    await world.takeOn(order);
    await world.comesTo(order, 'handed_over');
    expect(shipmentsOf(order)).toHaveLength(1);
  });

  it('R40 R54 has the code of the carrier only if it is a word, so that no address comes into a log', async () => {
    const order = world.newOrder();
    world.carrier.faults = [{ status: 400, code: '1 Main Street, Berlin' }];
    await world.takeOn(order);
    await world.comesTo(order, 'parked');
    expect((await world.row(order)).last_error).toBe('carrier_400');
  });
});
