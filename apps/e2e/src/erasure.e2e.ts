/** What is erased of a customer, and of a whole tenant: every table of every service is filled, and searched. */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { connect } from '@nats-io/transport-node';
import { natsLogin } from '@shop/stack';
import { catalogue, type ServiceName } from '@shop/system';
import { eventually } from '@shop/testing';
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
/** An operator wrote it, and it names nobody. */
const NOTE = `note-${randomUUID()}`;

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

  async function publishAs(name: ServiceName, subject: string, text: string): Promise<void> {
    const { servers } = natsLogin(shop.system.stack.natsUrl);
    const { user, password } = shop.system.busLogin(name);
    const nats = await connect({ servers, user, pass: password, inboxPrefix: `_INBOX_${user}` });
    nats.publish(subject, text);
    await nats.flush();
    await nats.close();
  }

  async function firstLetterIn(name: 'order' | 'inventory' | 'payment'): Promise<Letter> {
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
    const { urls } = shop.system;
    const env = { ...process.env, ORDER_URL: urls.order, INVENTORY_URL: urls.inventory, PAYMENT_URL: urls.payment };
    const run = promisify(execFile)(process.execPath, [START, 'ops', ...words], { env });
    return run.then(
      ({ stdout }) => stdout,
      (error: { stderr: string }) => error.stderr,
    );
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
    await publishAs('order', 'cmd.inventory.from.order', `[{"customerId":"${customerId}"`);
    await publishAs('payment', 'reply.order.from.payment', `[{"customerId":"${customerId}"`);
    await firstLetterIn('inventory');
    await firstLetterIn('order');
    for (const id of [odd, confirmed]) expect((await shop.settled(id)).body.status).toBe('cancelled');
  }

  it(
    'R26 of a customer is in no table any more, and the books are as they were',
    async () => {
      await fill(KIM);
      const [key, theirs] = [randomUUID(), randomUUID()];
      const [hers, his] = [await place(KIM, 'cup', 'tok_ok', key), await place(BOB, 'cup', 'tok_ok', theirs)];
      for (const id of [hers, his]) expect((await shop.settled(id)).body.status).toBe('confirmed');
      // A trial is forgotten when it has ended.
      const transient = ['order', 'inventory', 'payment'].map((name) => `${name}.delivery_trial`);
      // Nothing of a person is ever in these: ids, amounts, and the provider's words for what happened.
      const impersonal = ['capture', 'dispute', 'outbox', 'outbox_batch', 'payout'].map((name) => `payment.${name}`);
      const known = [...transient, ...impersonal];
      expect((await emptyTables(shop)).filter((table) => !known.includes(table))).toEqual([]);
      expect((await tablesWith(shop, KIM)).sort()).toEqual([
        'inventory.dead_letter',
        'inventory.stock_movement',
        'order.dead_letter',
        'order.ledger',
        'order.orders',
        'order.saga_history',
        'payment.dead_letter',
        'payment.ledger',
      ]);

      const { headers: before } = await shop.order.get(`/orders/${hers}`);
      const report = await ops('erase', 'customer', KIM);
      for (const line of [/^order +orders +6 /m, /^payment +dead_letter +1 /m, /^inventory +stock_movement +2 /m]) {
        expect(report).toMatch(line);
      }
      expect(await tablesWith(shop, KIM)).toEqual([]);
      expect(shop.log()).not.toContain(KIM);
      expect((await ops('erase', 'customer', KIM)).match(/ [1-9]\d* /g)).toBeNull();

      const { body, headers } = await shop.order.get<{ customerId: string; status: string }>(`/orders/${hers}`);
      expect(body).toMatchObject({ customerId: 'erased', status: 'confirmed' });
      expect(headers.get('etag')).not.toBe(before.get('etag'));
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
      expect(await tablesWith(shop, BOB)).toEqual(['order.ledger', 'order.orders']);
      await payment.start();
      expect((await shop.settled(id)).body.status).toBe('confirmed');
    },
    TIMEOUT_MS,
  );

  it(
    'R26 of a tenant is in no table any more: what stays under its name are its books, its catalogue and its stock',
    async () => {
      await adjustForth(NOTE);
      expect(await tablesWith(shop, 'front-key')).toHaveLength(3);
      const report = await ops('erase', 'tenant', 'demo');
      expect(report).toMatch(/^order +api_key +1 /m);
      expect(report).toMatch(/^inventory +stock_movement +2 /m);
      expect(await tablesWith(shop, KIM, BOB, NOTE, 'developer')).toEqual([]);
      expect((await tablesWith(shop, 'demo')).sort()).toEqual([
        'inventory.reservation',
        'inventory.stock',
        'inventory.stock_movement',
        'order.orders',
        'order.outbox',
        'order.product',
        'order.saga',
        'payment.payment',
        // The ids of events that were worked on, for thirty days.
        'payment.provider_event',
        'payment.refund',
      ]);
      expect((await shop.books()).faults).toEqual([]);
    },
    TIMEOUT_MS,
  );
});
