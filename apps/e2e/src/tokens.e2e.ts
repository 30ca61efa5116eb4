/** The token of a card is nowhere in clear, whatever has become of its order, and sealed only while it is needed. */
import { randomUUID } from 'node:crypto';
import { catalogue } from '@shop/system';
import { eventually } from '@shop/testing';
import { refuseRefund } from './refused-refund';
import { Shop } from './shop';
import { queryIn, streamContents, tablesWith } from './tables';

const TIMEOUT_MS = 150_000;
const TOKENS = ['tok_ok', 'tok_declined', 'tok_timeout_once'];
const SEALED = 'sealed.v1.';
/** What the database of payment refuses to take, so that its charge becomes a dead letter. */
const ODD_PRICE = 4_321;

interface Saga {
  status: string;
  history: { to: string }[];
}

describe('R26 the token of a card', () => {
  let shop: Shop;
  beforeAll(async () => {
    shop = await Shop.open([...catalogue, { sku: 'odd', name: 'The odd one', price: ODD_PRICE, onHand: 10 }]);
  }, TIMEOUT_MS);
  afterAll(() => shop?.close());

  const sagaOf = async (id: string): Promise<Saga> => (await shop.order.get<Saga>(`/orders/${id}/saga`)).body;
  const untilAt = (id: string, place: string) =>
    eventually(async () => expect((await sagaOf(id)).history.at(-1)!.to).toBe(place), { timeoutMs: 30_000 });

  async function park(id: string): Promise<void> {
    await refuseRefund(shop, id);
    await eventually(async () => expect((await sagaOf(id)).status).toBe('parked'));
  }

  async function expectNowhereInClear(): Promise<void> {
    expect(await tablesWith(shop, 'tok_')).toEqual([]);
    expect(await streamContents(shop)).not.toContain('tok_');
    expect(shop.log()).not.toContain('tok_');
  }

  it(
    'R26 is sealed while its order is open, parked or a dead letter, and gone when all have ended',
    async () => {
      const { payment } = shop.system.services;
      // Nobody takes the charges, which wait at the broker.
      await payment.kill('SIGKILL');
      const [waiting, parked, odd] = await Promise.all(
        ['cup', 'cup', 'odd'].map(async (sku) => (await shop.place([{ sku, quantity: 1 }], 'tok_ok')).body.id),
      );
      for (const id of [waiting!, parked!, odd!]) await untilAt(id, 'charge.do');
      await shop.order.send('DELETE', `/orders/${parked}`);
      await untilAt(parked!, 'charge.undo');
      await park(parked!);
      expect(await tablesWith(shop, SEALED)).toEqual(['order.saga']);
      expect(await streamContents(shop)).toContain(SEALED);
      await expectNowhereInClear();

      // The charges are tried, their outcome is unknown, and one of them becomes a dead letter.
      await queryIn(shop, 'payment', `alter table payment add constraint not_odd check (amount <> ${ODD_PRICE})`);
      await shop.sandbox.put('/admin/faults', { errorRate: 1 });
      await payment.start();
      const charged = { amount: 4_200, currency: 'EUR', source: 'tok_ok' };
      const key = randomUUID();
      expect((await shop.payment.post('/payments', charged, key)).status).toBe(503);
      const letters = () => shop.payment.all<{ id: string; state: string }>('/dead-letters');
      await eventually(async () => expect(await letters()).toMatchObject([{ state: 'open' }]), { timeoutMs: 60_000 });
      expect(await tablesWith(shop, SEALED)).toEqual([
        'payment.dead_letter',
        'payment.ledger',
        'payment.payment',
        'order.saga',
      ]);
      await expectNowhereInClear();

      // All is mended, and ends.
      await queryIn(shop, 'payment', 'alter table payment drop constraint not_odd');
      await shop.sandbox.send('DELETE', '/admin/faults');
      const [letter] = await letters();
      await shop.payment.post(`/dead-letters/${letter!.id}/replay`, { reason: 'mended' }, randomUUID());
      await shop.order.post(`/sagas/${parked}/acts`, { act: 'retry', reason: 'it is back' }, randomUUID());
      await eventually(async () => expect((await shop.payment.post('/payments', charged, key)).status).toBe(201), {
        timeoutMs: 30_000,
      });
      const ends = await Promise.all([waiting, parked, odd].map((id) => shop.settled(id!)));
      expect(ends.map(({ body }) => body.status)).toEqual(['confirmed', 'cancelled', 'confirmed']);
      // The message is kept as it was sent.
      await eventually(async () => expect(await tablesWith(shop, SEALED)).toEqual(['payment.dead_letter']), {
        timeoutMs: 30_000,
      });
      await expectNowhereInClear();
      expect((await shop.books()).faults).toEqual([]);
    },
    TIMEOUT_MS,
  );

  it(
    'R26 pays whatever comes of it, and is refused when it looks sealed',
    async () => {
      const ids: string[] = [];
      for (const source of TOKENS) {
        ids.push((await shop.place([{ sku: 'cup', quantity: 1 }], source)).body.id);
        await shop.payment.post('/payments', { amount: 4_200, currency: 'EUR', source }, randomUUID());
      }
      ids.push((await shop.place([{ sku: 'unicorn', quantity: 1 }], 'tok_ok')).body.id);
      const settled = await Promise.all(ids.map((id) => shop.settled(id)));
      expect(settled.map(({ body }) => body.reason ?? body.status)).toEqual([
        'confirmed',
        'payment_declined',
        'confirmed',
        'out_of_stock',
      ]);
      // A confirmed order that is given back later needs no token.
      await shop.order.send('DELETE', `/orders/${ids[0]}`);
      await eventually(async () => expect((await shop.settled(ids[0]!)).body.status).toBe('cancelled'));
      await eventually(async () => expect(await tablesWith(shop, SEALED)).toEqual(['payment.dead_letter']), {
        timeoutMs: 30_000,
      });
      const [{ content }] = (await queryIn<{ content: string }>(
        shop,
        'payment',
        `select convert_from(content, 'utf8') as content from dead_letter`,
      )) as [{ content: string }];
      const { source } = (JSON.parse(content) as { data: { source: string } }).data;
      expect((await shop.place([{ sku: 'cup', quantity: 1 }], source)).body.code).toBe('validation_failed');
      await expectNowhereInClear();
      expect((await shop.books()).faults).toEqual([]);
    },
    TIMEOUT_MS,
  );
});
