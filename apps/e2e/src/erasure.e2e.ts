/** What is erased of a customer, and of a whole tenant: every table of every service is filled, and searched. */
import { execFile } from 'node:child_process';
import { hash, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { catalogue, ownServices } from '@shop/system';
import { eventually } from '@shop/testing';
import { leaveTraces, SCARCE } from './customer-traces';
import { publishAs } from './publish-as';
import { type Order, Shop } from './shop';
import { emptyTables, queryIn, tablesWith } from './tables';

const TIMEOUT_MS = 150_000;
const START = join(__dirname, '../../../tools/start.cjs');
/** What the database of payment refuses to take, so that its charge becomes a dead letter. */
const ODD_PRICE = 4_321;
const patiently = { timeoutMs: 60_000 };

/** The customer who is erased; nobody else has this in their name. */
const KIM = `kim-${randomUUID()}`;
const BOB = `bob-${randomUUID()}`;
/** Who erases itself. */
const ANN = `ann-${randomUUID()}`;
/** What stands for a customer where no name does; made as anybody could who guesses the name. */
const hashOf = (customerId: string): string => hash('sha256', `demo\n${customerId}`, 'hex');
/** An operator wrote it, and it names nobody. */
const NOTE = `note-${randomUUID()}`;

interface Erased {
  kept: { what: string }[];
}

interface Letter {
  id: string;
  state: string;
}

describe('R26 personal data', () => {
  let shop: Shop;
  beforeAll(async () => {
    shop = await Shop.open([...catalogue, { sku: 'odd', name: 'The odd one', price: ODD_PRICE, onHand: 10 }]);
  }, TIMEOUT_MS);
  afterAll(() => shop?.close());

  const orderOf = (customerId: string, sku = 'cup', source = 'tok_ok') => ({
    customerId,
    items: [{ sku, quantity: 1 }],
    payment: { source },
  });
  const place = async (customerId: string, sku?: string, source?: string, key: string = randomUUID()) =>
    (await shop.order.post<Order>('/orders', orderOf(customerId, sku, source), key)).body.id;

  async function firstLetterIn(name: 'order' | 'inventory' | 'payment' | 'fulfilment'): Promise<Letter> {
    return eventually(async () => {
      const [letter] = await shop[name].all<Letter>('/dead-letters');
      expect(letter).toBeDefined();
      return letter!;
    }, patiently);
  }

  /** And back again, so that the books stay even. */
  async function adjustForth(reason: string): Promise<void> {
    for (const delta of [1, -1]) {
      const key = `${NOTE}${delta}${randomUUID()}`;
      expect((await shop.inventory.post('/stock/cup/adjustments', { delta, reason }, key)).status).toBe(201);
    }
  }

  /** `npm run ops`, as an operator types it. */
  async function ops(...words: string[]): Promise<string> {
    const env = shop.operatorsEnvironment();
    const run = promisify(execFile)(process.execPath, [START, 'ops', ...words], { env });
    return run.then(
      ({ stdout }) => stdout,
      (error: { stderr: string }) => error.stderr,
    );
  }

  /** What follows the orders is done, and nothing is on its way any more that would write a name. */
  async function untilFollowed(): Promise<void> {
    const { faults } = await shop.books();
    // A reservation that waits for pieces is no order.
    expect(faults.filter((fault) => !fault.startsWith(`${SCARCE}: `))).toEqual([]);
  }

  /** An operator takes an order back by a batch: one that waits for its customer, as if it were parked. */
  async function takeBackByBatch(customerId: string): Promise<void> {
    const id = await place(customerId, 'cup', 'tok_3ds');
    const parking = `
      update saga set status = 'parked', attempt = 1, waiting = null, deadline_at = null, parked_reason = 'by_hand'
      where id = '${id}' and waiting ? 'until' returning id`;
    await eventually(async () => expect(await queryIn(shop, 'order', parking)).toHaveLength(1), patiently);
    const filter = { status: 'parked', reason: 'by_hand' };
    const batch = { act: 'cancel', reason: `${customerId} has called`, filter, expected: 1, ratePerSecond: 200 };
    expect((await shop.order.post('/saga-batches', batch, randomUUID())).status).toBe(201);
    expect((await shop.settled(id)).body.status).toBe('cancelled');
  }

  /** An operator discards in bulk what nobody could read. */
  async function discardAll(name: 'order' | 'inventory' | 'payment' | 'fulfilment', customerId: string): Promise<void> {
    let expected = 0;
    await eventually(async () => {
      const { body } = await shop[name].get<{ groups: { type: string | null; count: number }[] }>(
        '/dead-letters/groups',
      );
      expected = body.groups.reduce((sum, { type, count }) => (type === null ? sum + count : sum), 0);
      expect(expected).toBeGreaterThan(0);
    }, patiently);
    const filter = { state: 'open', type: null };
    const batch = { act: 'discard', reason: `${customerId} has called`, filter, expected, ratePerSecond: 200 };
    const made = await shop[name].post<{ id: string }>('/dead-letter-batches', batch, randomUUID());
    expect(made.status).toBe(201);
    await eventually(async () => {
      const { body } = await shop[name].get<{ done: number }>(`/dead-letter-batches/${made.body.id}`);
      expect(body.done).toBe(expected);
    }, patiently);
  }

  /** Every table of every service gets a row through what people and services do. */
  async function fill(customerId: string): Promise<void> {
    await queryIn(shop, 'payment', `alter table payment add constraint not_odd check (amount <> ${ODD_PRICE})`);
    const odd = await place(customerId, 'odd');
    const [confirmed, declined, soldOut] = [
      await place(customerId),
      await place(customerId, 'cup', 'tok_declined'),
      await place(customerId, 'unicorn'),
    ];
    const chosen = randomUUID();
    await shop.order.put(`/orders/${chosen}`, orderOf(customerId));
    for (const id of [confirmed, declined, soldOut, chosen]) await shop.settled(id);
    await shop.order.send('DELETE', `/orders/${confirmed}`);

    const { body: paid } = await shop.payment.post<{ id: string }>(
      '/payments',
      { amount: 4_200, currency: 'EUR', source: 'tok_ok' },
      randomUUID(),
    );
    await shop.payment.post(`/payments/${paid.id}/refunds`, { amount: 100 }, randomUUID());
    await adjustForth(`found for ${customerId}`);
    await ops('keys', 'add', 'front-key', '--principal', 'front', '--roles', 'customer');

    // An operator acts on a saga, and on what nobody could carry out or read.
    const act = { act: 'cancel', reason: `${customerId} has called` };
    expect((await shop.order.post(`/sagas/${odd}/acts`, act, randomUUID())).status).toBe(201);
    const letter = await firstLetterIn('payment');
    await queryIn(shop, 'payment', 'alter table payment drop constraint not_odd');
    const discard = { reason: `${customerId} has called` };
    expect((await shop.payment.post(`/dead-letters/${letter.id}/discard`, discard, randomUUID())).status).toBe(200);
    await publishAs(shop, 'order', 'cmd.inventory.from.order', `[{"customerId":"${customerId}"`);
    await publishAs(shop, 'order', 'cmd.inventory.from.order', `[{"customer":"${hashOf(customerId)}"`);
    await publishAs(shop, 'order', 'cmd.payment.from.order', `[{"customerId":"${customerId}"`);
    await publishAs(shop, 'order', 'cmd.fulfilment.from.order', `[{"customerId":"${customerId}"`);
    await publishAs(shop, 'payment', 'reply.order.from.payment', `[{"customerId":"${customerId}"`);
    await eventually(async () => expect(await shop.inventory.all('/dead-letters')).toHaveLength(2), patiently);
    await firstLetterIn('order');
    await firstLetterIn('fulfilment');
    for (const name of ['order', 'inventory', 'payment', 'fulfilment'] as const) await discardAll(name, customerId);
    for (const id of [odd, confirmed]) expect((await shop.settled(id)).body.status).toBe('cancelled');
    await takeBackByBatch(customerId);
    // An operator holds a step at which no saga stands, and releases it.
    const hold = '/saga-holds/place-order/confirm';
    expect((await shop.order.put(hold, { reason: `${customerId} has called` })).status).toBe(201);
    expect((await shop.order.send('DELETE', hold)).status).toBe(204);
  }

  it(
    'R26 of a customer is in no table any more, and the books are as they were',
    async () => {
      await fill(KIM);
      const { orderId, reservationId } = await leaveTraces(shop, KIM);
      const [key, theirs] = [randomUUID(), randomUUID()];
      const [hers, his] = [await place(KIM, 'cup', 'tok_ok', key), await place(BOB, 'cup', 'tok_ok', theirs)];
      for (const id of [hers, his]) expect((await shop.settled(id)).body.status).toBe('confirmed');
      expect((await shop.payment.post('/invoices', { orderId: hers }, randomUUID())).status).toBe(201);
      await untilFollowed();
      // A trial is forgotten when it has ended.
      const transient = ownServices.map((name) => `${name}.delivery_trial`);
      // Nothing of a person is ever in these: ids, amounts, and the provider's words for what happened.
      const impersonal = ['capture', 'credit_check', 'dispute', 'payout'].map((name) => `payment.${name}`);
      const known = [...transient, ...impersonal];
      expect((await emptyTables(shop)).filter((table) => !known.includes(table))).toEqual([]);
      expect((await tablesWith(shop, KIM)).sort()).toEqual([
        'fulfilment.bulk_act',
        'fulfilment.dead_letter',
        'fulfilment.delivery',
        'fulfilment.heard_order',
        'fulfilment.ledger',
        'fulfilment.notification',
        'fulfilment.point_entry',
        'inventory.bulk_act',
        'inventory.dead_letter',
        'inventory.ledger',
        'inventory.stock_movement',
        'inventory.stock_repair',
        'order.bulk_act',
        'order.cart',
        'order.dead_letter',
        'order.ledger',
        'order.orders',
        'order.profile',
        'order.saga_history',
        'order.saga_hold',
        'payment.bulk_act',
        'payment.dead_letter',
        'payment.ledger',
      ]);

      expect((await tablesWith(shop, hashOf(KIM))).sort()).toEqual([
        'inventory.customer_holding',
        'inventory.dead_letter',
        'inventory.reservation',
        'order.promotion_use',
      ]);

      const { headers: before } = await shop.order.get(`/orders/${hers}`);
      const report = await ops('erase', 'customer', KIM);
      for (const line of [
        /^order +orders +8 /m,
        /^order +profile +1 /m,
        /^order +saga_hold +1 /m,
        /^order +cart +2 /m,
        /^payment +dead_letter +2 /m,
        /^inventory +stock_movement +2 /m,
        /^fulfilment +heard_order +[1-9]/m,
        /^fulfilment +point_entry +[1-9]/m,
        /^fulfilment +notification +[1-9]/m,
        /^fulfilment +delivery +[1-9]/m,
      ]) {
        expect(report).toMatch(line);
      }
      expect(await tablesWith(shop, KIM, hashOf(KIM))).toEqual([]);
      expect(shop.log()).not.toContain(KIM);
      expect((await ops('erase', 'customer', KIM)).match(/ [1-9]\d* /g)).toBeNull();

      const { body, headers } = await shop.order.get<{ customerId: string; status: string }>(`/orders/${hers}`);
      expect(body).toMatchObject({ customerId: 'erased', status: 'confirmed' });
      expect(headers.get('etag')).not.toBe(before.get('etag'));
      expect((await shop.order.get(`/orders/${orderId}`)).body).toMatchObject({
        customerId: 'erased',
        promotions: [{ code: 'TEN' }],
      });
      // What is held for nobody any more can still be given back.
      expect((await shop.inventory.send('DELETE', `/reservations/${reservationId}`)).status).toBe(204);
      // A late repeat makes no second order, and nobody else has lost anything.
      const late = await shop.order.post<Order>('/orders', orderOf(KIM), key);
      expect([late.status, late.body.code]).toEqual([409, 'idempotency_key_reused']);
      const replayed = await shop.order.post<{ customerId: string }>('/orders', orderOf(BOB), theirs);
      expect([replayed.headers.get('idempotent-replayed'), replayed.body.customerId]).toEqual(['true', BOB]);
      expect((await shop.books()).faults).toEqual([]);
    },
    TIMEOUT_MS,
  );

  it(
    'R26 of a customer who erases itself stays only where the answer says so',
    async () => {
      const { reservationId } = await leaveTraces(shop, ANN);
      await untilFollowed();
      const first = await shop.order.send<Erased>('DELETE', `/profiles/${ANN}`);
      expect(first.status).toBe(200);
      const kept = first.body.kept.map(({ what }) => what);
      expect(kept).not.toContain('open orders');
      expect(kept).toContain('points, deliveries and mails');
      expect((await tablesWith(shop, ANN)).sort()).toEqual([
        'fulfilment.delivery',
        'fulfilment.heard_order',
        'fulfilment.notification',
        'fulfilment.point_entry',
        'inventory.stock_repair',
        'order.ledger',
      ]);
      expect((await tablesWith(shop, hashOf(ANN))).sort()).toEqual([
        'inventory.customer_holding',
        'inventory.reservation',
      ]);
      expect((await shop.order.send('DELETE', `/profiles/${ANN}`)).text).toBe(first.text);
      await ops('erase', 'customer', ANN);
      expect(await tablesWith(shop, ANN, hashOf(ANN))).toEqual([]);
      expect(shop.log()).not.toContain(ANN);
      expect((await shop.inventory.send('DELETE', `/reservations/${reservationId}`)).status).toBe(204);
      expect((await shop.books()).faults).toEqual([]);
    },
    TIMEOUT_MS,
  );

  it(
    'R26 is not erased while an order needs it, and nothing of it is',
    async () => {
      const { payment } = shop.system.services;
      await payment.kill('SIGKILL');
      const id = await place(BOB);
      for (const words of [
        ['customer', BOB],
        ['tenant', 'demo'],
      ]) {
        expect(await ops('erase', ...words)).toMatch(
          /^The order service says no: 1 orders have not ended.*\(open_orders\)/,
        );
      }
      expect((await tablesWith(shop, BOB)).sort()).toEqual([
        // Of the order that he has placed before.
        'fulfilment.delivery',
        'fulfilment.heard_order',
        'fulfilment.notification',
        'fulfilment.point_entry',
        'order.ledger',
        'order.orders',
      ]);
      await payment.start();
      expect((await shop.settled(id)).body.status).toBe('confirmed');
    },
    TIMEOUT_MS,
  );

  it(
    'R26 of a tenant is in no table any more: what stays under its name are its books, its catalogue and its stock',
    async () => {
      await adjustForth(NOTE);
      const { reservationId } = await leaveTraces(shop, BOB);
      expect(await tablesWith(shop, 'front-key')).toHaveLength(ownServices.length);
      await untilFollowed();
      const report = await ops('erase', 'tenant', 'demo');
      expect(report).toMatch(/^order +api_key +1 /m);
      expect(report).toMatch(/^order +bulk_act +2 /m);
      expect(report).toMatch(/^payment +bulk_act +1 /m);
      expect(report).toMatch(/^order +saga_hold +1 /m);
      expect(report).toMatch(/^inventory +stock_movement +2 /m);
      expect(await tablesWith(shop, KIM, BOB, hashOf(BOB), NOTE, 'developer')).toEqual([]);
      expect((await tablesWith(shop, 'demo')).sort()).toEqual([
        'fulfilment.delivery',
        'fulfilment.heard_order',
        'fulfilment.heard_refund',
        'fulfilment.notification',
        'fulfilment.outbox',
        'fulfilment.point_entry',
        'inventory.backorder',
        'inventory.reservation',
        'inventory.stock',
        'inventory.stock_movement',
        'inventory.stock_place',
        'inventory.stock_repair',
        'order.orders',
        'order.outbox',
        'order.product',
        'order.promotion',
        'order.promotion_use',
        'order.saga',
        'order.saga_hold',
        // Papers that the law wants to be kept; they name nobody.
        'payment.invoice',
        'payment.invoice_series',
        'payment.outbox',
        'payment.payment',
        // The ids of events that were worked on, for thirty days.
        'payment.provider_event',
        'payment.refund',
        'payment.tax_task',
      ]);
      expect((await shop.inventory.send('DELETE', `/reservations/${reservationId}`)).status).toBe(204);
      expect((await shop.books()).faults).toEqual([]);
    },
    TIMEOUT_MS,
  );
});
