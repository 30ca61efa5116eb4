/** Shipping is a pivot: who cancels races the carrier, and one of the two has it. */
import { inParallel } from '@shop/system';
import { eventually } from '@shop/testing';
import { AfterOrder } from './after-order';
import { type Order, Shop } from './shop';

const RACES = 24;
const WIDTH = 8;
/** By so much later does each carrier come: the first ones at once, the last ones too late. */
const STEP_MS = 60;
const TIMEOUT_MS = 240_000;
const patiently = { timeoutMs: 90_000, intervalMs: 100 };
const PRODUCT = { sku: 'cup', name: 'Espresso cup', price: 1_200, onHand: 1_000 };

describe('R40 an order that is shipped', () => {
  let shop: Shop;
  let after: AfterOrder;
  beforeAll(async () => {
    shop = await Shop.open([PRODUCT]);
    after = new AfterOrder(shop);
    await after.introduce('alice');
  }, TIMEOUT_MS);
  afterAll(() => shop?.close(), TIMEOUT_MS);

  const cancel = (id: string) => shop.order.send<Order>('DELETE', `/orders/${id}`);
  const statusOf = async (id: string) => (await shop.order.get<Order>(`/orders/${id}`)).body.status;

  /** An order whose parcel the carrier has. */
  async function handedOver(): Promise<{ id: string; shipment: string }> {
    const { body } = await shop.place([{ sku: PRODUCT.sku, quantity: 1 }]);
    expect((await shop.settled(body.id)).body.status).toBe('confirmed');
    return eventually(async () => {
      const delivery = await after.delivery(body.id);
      expect(delivery?.status).toBe('handed_over');
      const shipment = (await after.shipments()).find(({ reference }) => reference === delivery!.id);
      return { id: body.id, shipment: shipment!.id };
    }, patiently);
  }

  const deliver = (shipment: string) => shop.sandbox.post(`/admin/shipments/${shipment}/deliver`, {});

  it(
    'R40 and delivered is not cancelled any more: 409 already_shipped, and it stays as it is',
    async () => {
      const { id, shipment } = await handedOver();
      expect((await deliver(shipment)).status).toBe(200);
      await eventually(async () => expect((await after.delivery(id))?.status).toBe('delivered'), patiently);
      const refused = await eventually(async () => {
        // The order service hears of it a moment later; until then the saga finds it out.
        const answer = await cancel(id);
        expect(answer.status).toBe(409);
        return answer;
      }, patiently);
      expect(refused.body.code).toBe('already_shipped');
      await eventually(async () => expect(await statusOf(id)).toBe('confirmed'), patiently);
      expect((await shop.books()).faults).toEqual([]);
      const templates = (await after.notifications(id)).map(({ template }) => template);
      expect(templates.sort()).toEqual(['order-confirmed', 'order-delivered']);
    },
    TIMEOUT_MS,
  );

  it(
    `R40 and delivered at the moment of its cancellation is kept or cancelled, and all agree which (${RACES} races)`,
    async () => {
      await inParallel([...Array(RACES).keys()], WIDTH, async (n) => {
        const { id, shipment } = await handedOver();
        const delivering = new Promise((resolve) => setTimeout(resolve, n * STEP_MS)).then(() => deliver(shipment));
        const [answer] = await Promise.all([cancel(id), delivering]);
        expect([204, 409]).toContain(answer.status);
        const status = await eventually(async () => {
          const now = await statusOf(id);
          expect(['confirmed', 'cancelled']).toContain(now);
          return now;
        }, patiently);
        const shipped = (await after.shipments()).find((one) => one.id === shipment)!.status;
        expect([status, shipped]).toEqual(status === 'confirmed' ? [status, 'delivered'] : [status, 'recalled']);
      });
      expect((await shop.books()).faults).toEqual([]);
    },
    TIMEOUT_MS,
  );

  it(
    'R40 and is cancelled while fulfilment is away waits for it, and nobody gets money before the parcel is stopped',
    async () => {
      const { id, shipment } = await handedOver();
      const { fulfilment } = shop.system.services;
      await fulfilment.stop();
      expect((await cancel(id)).status).toBe(204);
      // Its command has had time to be lost once.
      await eventually(async () => {
        const { cancelledBy } = (await shop.order.get<{ cancelledBy?: { attempt: number } }>(`/orders/${id}/saga`))
          .body;
        expect(cancelledBy?.attempt).toBeGreaterThan(1);
      }, patiently);
      expect(await statusOf(id)).toBe('cancelling');
      const { body } = await shop.payment.get<{ items: { refunded: number }[] }>(`/payments?orderId=${id}`);
      expect(body.items.map(({ refunded }) => refunded)).toEqual([0]);
      await fulfilment.start();
      await eventually(async () => expect(await statusOf(id)).toBe('cancelled'), patiently);
      expect((await after.shipments()).find((one) => one.id === shipment)!.status).toBe('recalled');
      expect((await shop.books()).faults).toEqual([]);
    },
    TIMEOUT_MS,
  );
});
