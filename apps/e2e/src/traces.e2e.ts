/** Each order is one trace, span by span: a good one, a declined one, a cancelled one, and one whose services are killed. */
import { randomBytes, randomUUID } from 'node:crypto';
import { catalogue, type ServiceName } from '@shop/system';
import { eventually } from '@shop/testing';
import { type CollectedSpan, Collector } from './collector';
import { type Order, Shop } from './shop';
import { command, event, lane, node, type Node, textOf } from './trace-trees';

const START_TIMEOUT_MS = 90_000;
const KILL_TIMEOUT_MS = 120_000;
const SLOW_MS = 8_000;
const ELSEWHERE_MS = 20_000;
/** Of the spans of many orders. */
const MANY = { timeoutMs: 60_000, intervalMs: 500 };

let collector: Collector;
let shop: Shop;

beforeAll(async () => {
  collector = await Collector.open();
  shop = await Shop.open(catalogue, { env: collector.env });
}, START_TIMEOUT_MS);
afterAll(async () => {
  await shop?.close();
  collector.close();
}, START_TIMEOUT_MS);

interface Traced {
  id: string;
  traceId: string;
  /** The span of the client. */
  client: string;
}

/** A client that has begun the trace itself. */
async function place(source = 'tok_ok', flags = '01'): Promise<Traced & { answered: string | null }> {
  const traceId = randomBytes(16).toString('hex');
  const client = randomBytes(8).toString('hex');
  const answer = await shop.order.send<Order>('POST', '/orders', {
    headers: { 'idempotency-key': randomUUID(), traceparent: `00-${traceId}-${client}-${flags}` },
    body: { customerId: 'alice', items: [{ sku: 'cup', quantity: 1 }], payment: { source } },
  });
  expect(answer.status).toBe(201);
  return { id: answer.body.id, traceId, client, answered: answer.headers.get('traceparent') };
}

/** What comes of an order when its saga has ended, also much later. */
const LATER = ['work on delivery', 'send notification'];

const until = (assertion: () => void) => eventually(assertion, { timeoutMs: ELSEWHERE_MS, intervalMs: 50 });

const expectTree = ({ traceId, client }: Traced, ...expected: Node[]) =>
  until(() => {
    expect(collector.treeOf(client, { without: LATER })).toBe(textOf(expected));
    expect(collector.orphansOf(traceId, client)).toEqual([]);
  });

const placed = (...sagas: Node[]): Node => node('order: POST /orders', lane('order', 'place-orders'), ...sagas);

const charged = node('payment: call payment-provider', node('sandbox: POST /v1/payment_intents'));
const confirmed = node('payment: call payment-provider', node('sandbox: POST /v1/payment_intents/:id/confirm'));
const paying = [charged, confirmed, lane('payment', 'leased-steps'), lane('payment', 'leased-steps')];

const goodSaga = (...more: Node[]) =>
  node(
    'order: saga place-order',
    node(
      'order: saga started',
      command(
        'inventory.reserve-stock.v1',
        [],
        [
          node(
            'order: saga do.succeeded',
            command('payment.charge-payment.v1', paying, [
              node(
                'order: saga do.succeeded',
                command('inventory.confirm-reservation.v1', [], [node('order: saga do.succeeded')]),
              ),
            ]),
          ),
        ],
      ),
    ),
    event('order', 'order.confirmed.v1', lane('fulfilment', 'events')),
    ...more,
  );

describe('R50 the trace of an order', () => {
  it('R50 has each request, transaction, message, move and call of a good one', async () => {
    const order = await place();
    await shop.settled(order.id);
    await expectTree(order, placed(goodSaga()));
  });

  it('R50 goes on when the order is delivered and its customer is told', async () => {
    const order = await place();
    await shop.settled(order.id);
    await until(() => {
      const spans = collector.ofTrace(order.traceId);
      const parentOf = ({ parentSpanId }: CollectedSpan) => spans.find(({ spanId }) => spanId === parentSpanId);
      const heard = spans.find(
        ({ name, service }) => `${service}: ${name}` === 'fulfilment: process order.confirmed.v1',
      );
      for (const name of LATER) expect(parentOf(spans.find((span) => span.name === name)!)).toBe(heard);
      const calls = spans.filter(({ name }) => name === 'call carrier').map(parentOf);
      expect(calls.map((parent) => parent?.name)).toContain('work on delivery');
    });
  });

  it('R50 of a declined one shows how it turns back', async () => {
    const order = await place('tok_declined');
    await shop.settled(order.id);
    await expectTree(
      order,
      placed(
        node(
          'order: saga place-order',
          node(
            'order: saga started',
            command(
              'inventory.reserve-stock.v1',
              [],
              [
                node(
                  'order: saga do.succeeded',
                  command('payment.charge-payment.v1', paying, [
                    node(
                      'order: saga do.refused',
                      command('inventory.release-stock.v1', [], [node('order: saga undo.succeeded')]),
                    ),
                  ]),
                ),
              ],
            ),
          ),
          event('order', 'order.cancelled.v1', lane('fulfilment', 'events')),
        ),
      ),
    );
  });

  it('R50 has the saga that cancels it too, with a link to the request that wished it', async () => {
    const order = await place();
    await shop.settled(order.id);
    const wish = await shop.order.send('DELETE', `/orders/${order.id}`);
    expect(wish.status).toBe(204);
    await shop.settled(order.id);
    const refunding = [
      node('payment: call payment-provider', node('sandbox: POST /v1/refunds')),
      node('payment: transaction'),
      node('payment: transaction'),
      node(
        'payment: transaction',
        event('payment', 'payment.refunded.v1', lane('fulfilment', 'events'), node('order: ')),
      ),
    ];
    const cancelling = node(
      'order: saga cancel-order',
      node(
        'order: saga started',
        command(
          'fulfilment.stop-delivery.v1',
          [],
          [
            node(
              'order: saga do.succeeded',
              command('payment.refund-payment.v1', refunding, [
                node(
                  'order: saga do.succeeded',
                  command('inventory.restock-reservation.v1', [], [node('order: saga do.succeeded')]),
                ),
              ]),
            ),
          ],
        ),
      ),
      event('order', 'order.cancelled.v1', lane('fulfilment', 'events')),
    );
    await expectTree(order, placed(goodSaga(cancelling)));
    const request = collector.spans.find(
      ({ name, attributes }) => name === 'DELETE /orders/:id' && attributes['http.response.status_code'] === 204,
    )!;
    const starts = collector.ofTrace(order.traceId).filter(({ name }) => name === 'saga started');
    expect(starts.flatMap(({ links }) => links.map(({ traceId }) => traceId))).toEqual([request.traceId]);
  });

  it('R50 is the trace of the client, who gets the span of its request', async () => {
    const { traceId, client, answered } = await place();
    await until(() => {
      const request = collector.ofTrace(traceId).find(({ name }) => name === 'POST /orders')!;
      expect(request).toMatchObject({ parentSpanId: client, kind: 2 });
      expect(answered).toBe(`00-${traceId}-${request.spanId}-01`);
    });
  });

  it('R50 is not recorded when the client does not record it', async () => {
    const silent = await place('tok_ok', '00');
    expect(silent.answered).toMatch(new RegExp(`^00-${silent.traceId}-[0-9a-f]{16}-00$`));
    await shop.settled(silent.id);
    // Of an order that was placed later, all has come.
    const later = await place();
    await shop.settled(later.id);
    await expectTree(later, placed(goodSaga()));
    expect(collector.ofTrace(silent.traceId)).toEqual([]);
  });

  it(
    'R50 stays whole when a batch does the work of several orders, and the batch links to them',
    async () => {
      const orders = await Promise.all(Array.from({ length: 200 }, () => place()));
      for (const { id } of orders) await shop.settled(id);
      await eventually(() => {
        for (const { traceId, client } of orders) {
          expect(collector.orphansOf(traceId, client)).toEqual([]);
          expect(collector.ofTrace(traceId).filter(({ name }) => name === 'saga place-order')).toHaveLength(1);
        }
      }, MANY);
      const batches = collector.spans.filter(({ links, name }) => name.endsWith(' batch') && links.length > 1);
      expect(batches.length).toBeGreaterThan(0);
      const known = new Set(collector.spans.map(({ traceId, spanId }) => `${traceId}/${spanId}`));
      for (const { links, attributes } of batches) {
        expect(Number(attributes['shop.batch.size'])).toBeGreaterThanOrEqual(links.length);
        for (const { traceId, spanId } of links) expect(known).toContain(`${traceId}/${spanId}`);
      }
    },
    KILL_TIMEOUT_MS,
  );
});

describe('R50 the trace of an order whose service is killed', () => {
  afterEach(() => shop.sandbox.send('DELETE', '/admin/faults'));

  const TOLD_BY_THEN = [
    'POST /orders',
    'send inventory.reserve-stock.v1',
    'process inventory.reserve-stock.v1.reply',
    'saga do.succeeded',
    'send payment.charge-payment.v1',
  ];

  /** Places an order, and kills the service while the provider thinks about the charge. Returns the dead process. */
  async function killDuringCharge(name: ServiceName): Promise<Traced & { dead: number }> {
    await shop.sandbox.put('/admin/faults', { delayMs: SLOW_MS });
    const order = await place();
    // The charge is begun, and all that has ended by then is told, also if the collector has much to take.
    await until(() => {
      expect(namesOf(order, 'payment')).toContain('commands');
      expect(namesOf(order, 'order')).toEqual(expect.arrayContaining(TOLD_BY_THEN));
    });
    const service = shop.system.services[name];
    const dead = service.pid!;
    await service.kill();
    await shop.sandbox.send('DELETE', '/admin/faults');
    await service.start();
    return { ...order, dead };
  }

  const namesOf = ({ traceId }: Traced, service: ServiceName) =>
    collector.ofTrace(traceId).flatMap((span) => (span.service === service ? [span.name] : []));

  it(
    'R50 goes on in another process of the order service, and the saga ends in its span',
    async () => {
      const order = await killDuringCharge('order');
      expect((await shop.settled(order.id)).body.status).toBe('confirmed');
      await until(() => {
        expect(collector.orphansOf(order.traceId, order.client)).toEqual([]);
        const ofOrder = collector.ofTrace(order.traceId).filter(({ service }) => service === 'order');
        const saga = ofOrder.find(({ name }) => name === 'saga place-order')!;
        const begun = ofOrder.find(({ name }) => name === 'POST /orders')!;
        expect([saga?.parentSpanId, saga?.pid === order.dead, begun.pid]).toEqual([begun.spanId, false, order.dead]);
        expect(BigInt(saga.endTimeUnixNano) - BigInt(saga.startTimeUnixNano)).toBeGreaterThan(0n);
      });
    },
    KILL_TIMEOUT_MS,
  );

  it(
    'R50 goes on in another process of payment, and only what was open in the dead one is missing',
    async () => {
      const order = await killDuringCharge('payment');
      expect((await shop.settled(order.id)).body.status).toBe('confirmed');
      await until(() => {
        const spans = collector.ofTrace(order.traceId);
        const calls = spans.filter(({ name, pid }) => name === 'call payment-provider' && pid !== order.dead);
        expect(calls.length).toBeGreaterThan(0);
        expect(spans.filter(({ name }) => name === 'saga place-order')).toHaveLength(1);
        const orphans = collector.orphansOf(order.traceId, order.client);
        expect(orphans.filter((span) => !isOfTheDead(span, order.dead))).toEqual([]);
      });
    },
    KILL_TIMEOUT_MS,
  );

  /** It was made by the dead process, is a request that the dead process has made, or goes on with work of the dead process. */
  const isOfTheDead = ({ pid, service, name }: CollectedSpan, dead: number) =>
    pid === dead || service === 'sandbox' || name === 'resume charge-payment';
});

describe('R48 the log of a system with traces', () => {
  it('R48 has the path of each saga, by its trace id, exactly as the history', async () => {
    const orders = [await place(), await place('tok_declined')];
    for (const { id, traceId } of orders) {
      await shop.settled(id);
      const { body } = await shop.order.get<{ history: Record<string, unknown>[] }>(`/orders/${id}/saga`);
      const pick = ({ seq, step, from, to, attempt }: Record<string, unknown>) => ({ seq, step, from, to, attempt });
      await until(() => {
        const told = shop.lines().filter((line) => line['traceId'] === traceId && line['seq'] !== undefined);
        expect(told.map(pick)).toEqual(body.history.map(pick));
        const spans = new Map(collector.ofTrace(traceId).map(({ spanId, name }) => [spanId, name]));
        expect(told.map(({ spanId }) => spans.get(String(spanId)))).toEqual(
          told.map(({ event }) => String(event).replace('.', ' ')),
        );
      });
    }
  });
});

describe('R48 each line of the log', () => {
  it('R48 that is about an order or a payment names the trace and the span', async () => {
    const order = await place();
    await shop.settled(order.id);
    await until(() => expect(shop.lines().map(({ event }) => event)).toContain('delivery.handed_over'));
    const about = shop.lines().filter(({ orderId, paymentId }) => orderId !== undefined || paymentId !== undefined);
    const nameless = about.filter(({ traceId, spanId }) => traceId === undefined || spanId === undefined);
    expect(nameless.map(({ event }) => event)).toEqual([]);
  });
});

describe('R45 a collector that is in trouble', () => {
  it('R45 is no trouble for orders', async () => {
    collector.status = 503;
    const order = await place();
    expect((await shop.settled(order.id)).body.status).toBe('confirmed');
    collector.status = 200;
  });
});
