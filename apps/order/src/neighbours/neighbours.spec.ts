/** Questions over real sockets to neighbours that answer well, late, wrong or not at all. */
import { randomUUID } from 'node:crypto';
import { createLogger } from '@shop/observability';
import { eventually } from '@shop/testing';
import { answersWith, bad, FakeNeighbour, type Way } from '@shop/service/testing';
import { Neighbour } from '@shop/service';
import { Neighbours } from './neighbours';

const logger = createLogger({ service: 'order', level: 'silent', format: 'json' });
/** Longer than any test. */
const LONG_MS = 600_000;
/** For those who never answer. */
const SHORT_MS = 100;
const orderId = randomUUID();
const payment = { orderId, status: 'succeeded', amount: 2_400, currency: 'EUR', captured: 2_400, refunded: 0 };
const delivery = { orderId, status: 'handed_over', service: 'home', trackingNumber: 'TRK-1' };
const issuedAt = '2026-03-01T12:00:00.000Z';
const invoice = {
  number: 'INV-2026-0001',
  kind: 'invoice',
  orderId,
  currency: 'EUR',
  totals: { gross: 2_400, tax: 383 },
  issuedAt,
};
const reservation = { id: orderId, status: 'open', lines: [{ sku: 'cup', quantity: 2 }] };

let fake: FakeNeighbour;

beforeEach(async () => (fake = await FakeNeighbour.open()));
afterEach(() => fake.close());

function open({
  url = fake.url,
  key = 'the-key',
  restMs = LONG_MS,
  deadlineMs = LONG_MS,
  log = logger,
} = {}): Neighbours {
  const shared = { url, key, restMs, deadlineMs, logger: log };
  return new Neighbours(
    new Neighbour({ ...shared, name: 'inventory' }),
    new Neighbour({ ...shared, name: 'payment', url: `${url}/` }),
    new Neighbour({ ...shared, name: 'fulfilment' }),
  );
}

const ALL_AWAY = Array<string>(5).fill('away');
const neverEnds = [bad['accepts and never answers'], bad['answers a part and no more']];
const says = (body: unknown): void => void (fake.way = answersWith(200, body));

describe('a neighbour', () => {
  it('is asked with the service key, for one tenant', async () => {
    says({ items: [payment] });
    await open().readPaymentOf('acme', orderId);
    says(reservation);
    await open().readReservation('rival', orderId);
    says({ items: [] });
    await open().readStock('acme', ['cup', 'a.b_c-d', 'cup']);
    says({ items: [delivery] });
    await open().readDeliveryOf('acme', orderId);
    says({ items: [invoice] });
    await open().readInvoiceOf('acme', orderId);
    const authorization = 'Bearer the-key';
    expect(fake.heard).toEqual([
      { method: 'GET', url: `/payments?orderId=${orderId}&limit=1`, tenant: 'acme', authorization },
      { method: 'GET', url: `/reservations/${orderId}`, tenant: 'rival', authorization },
      { method: 'GET', url: '/stock?skus=cup%2Ca.b_c-d&limit=2', tenant: 'acme', authorization },
      { method: 'GET', url: `/deliveries?orderId=${orderId}&limit=1`, tenant: 'acme', authorization },
      { method: 'GET', url: `/invoices?orderId=${orderId}&kind=invoice&limit=1`, tenant: 'acme', authorization },
    ]);
  });

  it('tells what is known, without what is not used', async () => {
    says({ items: [{ ...payment, providerReference: 'pi_1', declineReason: null, version: 3 }], next: null });
    expect({ ...((await open().readPaymentOf('acme', orderId)) as object) }).toEqual(payment);
    says({ items: [{ ...delivery, lastError: 'no_address', labelUrl: 'https://carrier.example/1' }], next: null });
    expect({ ...((await open().readDeliveryOf('acme', orderId)) as object) }).toEqual(delivery);
    const totals = { ...invoice.totals, net: 2_017, rates: [] };
    says({ items: [{ ...invoice, totals, lines: [], origin: 'issued', version: 1 }], next: null });
    expect(await open().readInvoiceOf('acme', orderId)).toEqual(invoice);
    says({ ...reservation, pieces: [{ place: 'main' }], awaited: [{ sku: 'cup', quantity: 1, position: 4 }] });
    expect(await open().readReservation('acme', orderId)).toMatchObject({
      ...reservation,
      awaited: [{ sku: 'cup', quantity: 1 }],
    });
    says({
      items: [
        { sku: 'cup', available: 3, orderable: 5, onHand: 9 },
        { sku: 'jug', available: 0 },
      ],
      next: null,
    });
    const stock = await open().readStock('acme', ['cup', 'jug', 'pot']);
    expect([...(stock as Map<string, object>)].map(([sku, seen]) => [sku, { ...seen }])).toEqual([
      ['cup', { sku: 'cup', available: 3, orderable: 5 }],
      ['jug', { sku: 'jug', available: 0 }],
    ]);
  });

  it('knows that there is nothing', async () => {
    says({ items: [], next: null });
    expect(await open().readPaymentOf('acme', orderId)).toBeUndefined();
    expect(await open().readDeliveryOf('acme', orderId)).toBeUndefined();
    expect(await open().readInvoiceOf('acme', orderId)).toBeUndefined();
    fake.way = answersWith(404, { code: 'reservation_not_found' });
    expect(await open().readReservation('acme', orderId)).toBeUndefined();
    expect(await open().readStock('acme', [])).toEqual(new Map());
    expect(fake.heard).toHaveLength(4);
  });

  it.each<[string, Way]>(Object.entries(bad))('is away when it %s', async (_, way) => {
    fake.way = way;
    expect(await readAll(open({ deadlineMs: neverEnds.includes(way) ? SHORT_MS : LONG_MS }))).toEqual(ALL_AWAY);
    // Once each: a second try would come behind the deadline, and a redirect would take the key elsewhere.
    expect(fake.heard).toHaveLength(5);
  });

  it.each([
    ['a payment of another order', { items: [{ ...payment, orderId: randomUUID() }] }],
    ['a payment of no order', { items: [{ ...payment, orderId: null }] }],
    ['a delivery of another order', { items: [{ ...delivery, orderId: randomUUID() }] }],
    ['an invoice of another order', { items: [{ ...invoice, orderId: randomUUID() }] }],
    ['a credit note', { items: [{ ...invoice, kind: 'credit_note' }] }],
    ['another reservation', { ...reservation, id: randomUUID(), items: [{ sku: 'pot', available: 1 }] }],
  ])('is away when it answers another question: %s', async (_, body) => {
    says(body);
    expect(await readAll(open())).toEqual(ALL_AWAY);
  });

  it('is away when nobody listens, and is asked again when somebody does', async () => {
    const neighbours = open();
    await fake.close();
    expect(await readAll(neighbours)).toEqual(ALL_AWAY);
    await fake.reopen();
    says({ items: [payment] });
    expect(await neighbours.readPaymentOf('acme', orderId)).toMatchObject(payment);
  });

  it('is away, and not asked, without an address or a key', async () => {
    for (const missing of ['url', 'key']) {
      const options = { url: fake.url, key: 'the-key', deadlineMs: LONG_MS, logger, [missing]: undefined };
      const alone = new Neighbour({ ...options, name: 'payment' });
      expect(await new Neighbours(alone, alone, alone).readPaymentOf('acme', orderId)).toBe('away');
    }
    expect(fake.heard).toEqual([]);
  });

  it('is left alone when it gave no answer many times, and all who ask are told at once', async () => {
    fake.way = bad['accepts and never answers']!;
    const neighbours = open({ deadlineMs: SHORT_MS });
    const ask = () => neighbours.readPaymentOf('acme', orderId);
    const askMany = async (times: number) => new Set(await Promise.all(Array.from({ length: times }, ask)));
    expect(await askMany(100)).toEqual(new Set(['away']));
    const before = fake.heard.length;
    expect(before).toBeLessThan(100);
    expect(await askMany(100)).toEqual(new Set(['away']));
    expect(fake.heard).toHaveLength(before);
  });

  it('is left alone by itself: the other one is asked', async () => {
    fake.way = bad['answers 500']!;
    const neighbours = open();
    for (let time = 0; time < 20; time++) await neighbours.readPaymentOf('acme', orderId);
    says(reservation);
    expect(await neighbours.readPaymentOf('acme', orderId)).toBe('away');
    expect(await neighbours.readReservation('acme', orderId)).toMatchObject(reservation);
  });

  it('is asked again when it has rested, and is back when it answers', async () => {
    fake.way = bad['cuts the connection']!;
    const neighbours = open({ restMs: 1 });
    const ask = () => neighbours.readPaymentOf('acme', orderId);
    await Promise.all(Array.from({ length: 40 }, ask));
    says({ items: [payment] });
    await eventually(async () => expect(await ask()).toMatchObject(payment));
    const all = await Promise.all(Array.from({ length: 40 }, ask));
    expect(all.filter((one) => one === 'away')).toEqual([]);
  });

  it('is logged as away once for many screens, without the key and without what it said', async () => {
    const lines: unknown[][] = [];
    const log = { ...logger, warn: (...line: unknown[]) => void lines.push(line) } as unknown as typeof logger;
    fake.way = answersWith(200, 'secret of a customer');
    const neighbours = open({ log });
    await Promise.all(Array.from({ length: 20 }, () => neighbours.readPaymentOf('acme', orderId)));
    expect(lines).toEqual([[{ neighbour: 'payment', reason: 'the answer is no JSON' }, 'neighbour.away']]);
  });
});

const readAll = (neighbours: Neighbours): Promise<unknown[]> =>
  Promise.all([
    neighbours.readPaymentOf('acme', orderId),
    neighbours.readReservation('acme', orderId),
    neighbours.readStock('acme', ['cup']),
    neighbours.readDeliveryOf('acme', orderId),
    neighbours.readInvoiceOf('acme', orderId),
  ]);
