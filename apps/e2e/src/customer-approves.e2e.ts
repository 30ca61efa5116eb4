/** Cards whose bank asks the customer first, with everything that can happen meanwhile. */
import { catalogue } from '@shop/system';
import { eventually } from '@shop/testing';
import { type Order, Shop } from './shop';

const TIMEOUT_MS = 180_000;
/** Long enough that nobody is late by accident, and short enough to wait for those who walk away. */
const APPROVAL_SECONDS = 20;

let shop: Shop;

beforeAll(async () => {
  shop = await Shop.open(catalogue, { env: { PAYMENT_APPROVAL_SECONDS: String(APPROVAL_SECONDS) } });
  await shop.system.addReplica('payment');
}, TIMEOUT_MS);
afterAll(() => shop?.close());

interface Asked {
  id: string;
  page: string;
}

/** An order whose customer stands before the page of the bank. */
async function asked(): Promise<Asked> {
  const { body } = await shop.place([{ sku: 'cup', quantity: 1 }], 'tok_3ds');
  const { nextAction } = await eventually(async () => {
    const order = await shop.order.get<Order>(`/orders/${body.id}`, { prefer: 'wait=10' });
    expect(order.body).toMatchObject({ status: 'pending', nextAction: { type: 'redirect' } });
    return order.body;
  });
  return { id: body.id, page: nextAction!.url };
}

const press = (page: string, outcome: 'approve' | 'decline') =>
  fetch(page, { method: 'POST', body: new URLSearchParams({ outcome }), redirect: 'manual' });

/** What the customer, the client or the operator does, and how the order ends. */
const acts: Record<string, { act: (one: Asked) => Promise<unknown>; end: Partial<Order> }> = {
  approves: { act: ({ page }) => press(page, 'approve'), end: { status: 'confirmed' } },
  declines: { act: ({ page }) => press(page, 'decline'), end: { status: 'cancelled', reason: 'payment_declined' } },
  'walks away': { act: () => Promise.resolve(), end: { status: 'cancelled', reason: 'payment_expired' } },
  'cancels the order': {
    act: ({ id }) => shop.order.send('DELETE', `/orders/${id}`),
    end: { status: 'cancelled', reason: 'cancelled_by_client' },
  },
  'approves and cancels at once': {
    act: ({ id, page }) => Promise.all([press(page, 'approve'), shop.order.send('DELETE', `/orders/${id}`)]),
    end: { status: 'cancelled' },
  },
};

describe('R56 an order whose customer', () => {
  it(
    'R56 approves, declines, walks away or cancels, while the payment service is killed, ends as it should',
    async () => {
      const cases = await Promise.all(
        Object.entries(acts).flatMap(([name, { act, end }]) =>
          Array.from({ length: 4 }, async () => ({ name, act, end, one: await asked() })),
        ),
      );
      await shop.system.services.payment.kill('SIGKILL');
      await Promise.all(cases.map(({ act, one }) => act(one)));
      await shop.system.services.payment.start();
      const ends = await Promise.all(
        cases.map(async ({ name, one }) => ({ name, ...(await shop.settled(one.id)).body })),
      );
      expect(ends).toMatchObject(cases.map(({ name, end }) => ({ name, ...end })));
      // Nobody can pay any more.
      const late = await Promise.all(cases.map(({ one }) => press(one.page, 'approve')));
      expect(new Set(late.map(({ status }) => status))).toEqual(new Set([410]));
      await eventually(async () => expect((await shop.books()).faults).toEqual([]), { timeoutMs: 30_000 });
      expect((await shop.books()).confirmed).toBe(4);
    },
    TIMEOUT_MS,
  );

  it('R56 R48 has a link that no log line shows', async () => {
    const { page, id } = await asked();
    await press(page, 'decline');
    expect((await shop.settled(id)).body).toMatchObject({ status: 'cancelled' });
    expect(shop.log()).not.toContain('/3ds/');
  });
});
