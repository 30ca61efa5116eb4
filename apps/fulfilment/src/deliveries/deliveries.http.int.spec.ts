/** Deliveries over HTTP: who sees which, page by page; and their erasure. */
import { expectProblem } from '@shop/http/testing';
import { useStack } from '@shop/testing';
import { callers, DeliveryWorld } from '../../testing/delivery-world';

const stack = useStack();
let world: DeliveryWorld;

beforeAll(async () => {
  world = await DeliveryWorld.open(stack);
});
afterAll(() => world.close());

interface Json {
  id: string;
  status: string;
  labelUrl: string | null;
  trackingNumber: string | null;
}

async function list(query = '', key = callers.operator): Promise<{ items: Json[]; next: string | null }> {
  const answer = await world.client.call('GET', `/deliveries${query}`, { key });
  expect(answer.statusCode).toBe(200);
  return answer.json();
}

describe('R40 deliveries over HTTP', () => {
  it('R40 are found by their order, their status and their id, with what the carrier has given them', async () => {
    const order = await world.handedOver();
    const { items } = await list(`?orderId=${order.orderId}`);
    expect(items).toMatchObject([
      {
        id: order.id,
        orderId: order.orderId,
        status: 'handed_over',
        service: 'pick-up',
        trackingNumber: world.carrier.of(order.id)!.trackingNumber,
        labelUrl: world.carrier.of(order.id)!.labelUrl,
        lines: [{ sku: 'mug', quantity: 2 }],
        attempts: 1,
        lastError: null,
        endedAt: null,
      },
    ]);
    expect((await list(`?orderId=${order.orderId}&status=delivered`)).items).toEqual([]);
    const one = await world.client.call('GET', `/deliveries/${order.id}`);
    expect(one.json()).toEqual(items[0]);
    const again = await world.client.call('GET', `/deliveries/${order.id}`, {
      headers: { 'if-none-match': String(one.headers['etag']) },
    });
    expect(again.statusCode).toBe(304);
  });

  it('R31 come page by page, each once', async () => {
    const orders = Array.from({ length: 5 }, () => world.newOrder('paged'));
    for (const order of orders) await world.takeOn(order, { suppressed: true });
    await world.client.query(`update delivery set tenant = 'acme' where tenant = 'paged'`);
    const seen: string[] = [];
    let cursor = '';
    do {
      const { items, next } = await list(`?status=elsewhere&limit=2${cursor}`);
      expect(items.length).toBeLessThanOrEqual(2);
      seen.push(...items.map(({ id }) => id));
      cursor = next === null ? '' : `&cursor=${next}`;
    } while (cursor !== '');
    expect(seen).toEqual(orders.map(({ id }) => id).sort());
  });

  it('R54 are shown to the customer who has placed the order, without the label, and to no other customer', async () => {
    const [own, others, nobodys] = [world.newOrder(), world.newOrder(), world.newOrder()];
    await world.takeOn(own, { placedBy: 'carl' });
    await world.takeOn(others, { placedBy: 'dora' });
    await world.takeOn(nobodys);
    await world.comesTo(own, 'handed_over');
    expect((await list('', callers.customer)).items.map(({ id, labelUrl }) => [id, labelUrl])).toEqual([
      [own.id, null],
    ]);
    const statuses = [];
    for (const { id } of [own, others, nobodys]) {
      statuses.push((await world.client.call('GET', `/deliveries/${id}`, { key: callers.customer })).statusCode);
    }
    expect(statuses).toEqual([200, 404, 404]);
  });

  it.each(['nothing', 'dlv_none', encodeURIComponent(`dlv_'; --`)])('has no delivery %s', async (id) => {
    expectProblem(await world.client.call('GET', `/deliveries/${id}`), 404, 'delivery_not_found');
    const headers = { 'idempotency-key': id };
    expectProblem(await world.client.call('POST', `/deliveries/${id}/retry`, { headers }), 404, 'delivery_not_found');
  });
});

describe('R55 the erasure of a customer', () => {
  const erase = (customerId: string) => world.client.call('POST', '/erasures/customer', { body: { customerId } });

  it('R55 waits for deliveries that need the address, and leaves no name behind', async () => {
    const order = world.newOrder();
    await world.takeOn(order, { customerId: 'erika', placedBy: 'erika' });
    await world.comesTo(order, 'handed_over');
    await world.change(order, `status = 'waiting', next_at = now() + interval '1 hour'`);
    expect((await erase('erika')).statusCode).toBe(409);
    await world.change(order, `status = 'handed_over'`);
    const answer = await erase('erika');
    expect(answer.statusCode).toBe(200);
    expect(answer.body).toContain('"delivery"');
    expect(await world.row(order)).toMatchObject({
      status: 'handed_over',
      customer_id: null,
      placed_by: null,
      label_url: null,
    });
    await world.hook(world.carrier.of(order.id)!, { status: 'delivered' });
    expect(await world.row(order)).toMatchObject({ status: 'delivered', customer_id: null, label_url: null });
    expect(await world.client.query('select id from notification where order_id = $1', [order.orderId])).toEqual([]);
  });
});
