/** From events to points, mails and deliveries, on PostgreSQL, with two replicas and an order service that may be away. */
import { hash, randomUUID } from 'node:crypto';
import { OrderCancelled, OrderConfirmed, PaymentRefunded } from '@shop/contracts';
import { Idempotency, PostgresLedger } from '@shop/idempotency';
import { type Message, newEvent } from '@shop/messaging';
import { createLogger } from '@shop/observability';
import { Listener } from '@shop/participant';
import { createDatabase, type Database } from '@shop/postgres';
import { applyMigrations } from '@shop/postgres/testing';
import { Neighbour } from '@shop/service';
import { answersWith, bad, FakeNeighbour } from '@shop/service/testing';
import { useStack } from '@shop/testing';
import { fulfilmentMigrations } from '../migrations';
import { FollowUp } from './follow-up';
import { saveEarlier } from './heard-orders.repository';
import { OrderEvents } from './order-events';

const stack = useStack({ templateKey: 'fulfilment', migrate: (url) => applyMigrations(url, fulfilmentMigrations) });
const logger = createLogger({ service: 'fulfilment', level: 'silent', format: 'json' });
const lines = [{ sku: 'cup', quantity: 2 }];

let database: Database;
let fake: FakeNeighbour;
let one: ReturnType<typeof openReplica>;
let other: ReturnType<typeof openReplica>;
/** The orders that the order service knows, by id. */
let known: Map<string, object>;

beforeAll(async () => {
  database = createDatabase({ url: stack.databaseUrl, applicationName: 'test' });
  await database.connect();
  [one, other] = [openReplica(), openReplica()];
});
afterAll(() => database.close());
beforeEach(async () => {
  fake = await FakeNeighbour.open();
  known = new Map();
  fake.way = (response, request) => {
    const ids = new URL(request.url!, fake.url).searchParams.get('ids')!.split(',');
    answersWith(200, { items: ids.flatMap((id) => known.get(id) ?? []), next: null })(response, request);
  };
});
afterEach(() => fake.close());

function openReplica() {
  const order = { read: (question: never) => neighbour().read(question) } as Pick<Neighbour, 'read'>;
  const followUp = new FollowUp(database, order, logger);
  const idempotency = new Idempotency(database, new PostgresLedger());
  return { followUp, listener: new Listener('fulfilment', database, idempotency, new OrderEvents(followUp)) };
}

const neighbour = () =>
  new Neighbour({ name: 'order', url: fake.url, key: 'k', deadlineMs: 1_000, totalMs: 2_000, logger });

function newOrder(customerId = 'alice') {
  const tenant = `t-${randomUUID().slice(0, 8)}`;
  const orderId = randomUUID();
  const total = { amount: 2_499, currency: 'EUR' };
  known.set(orderId, { id: orderId, customerId, placedBy: 'shop', status: 'confirmed', items: lines, total });
  const event = (type: typeof OrderConfirmed | typeof OrderCancelled, what: string, more: object): Message => ({
    ...newEvent(type as never, {
      id: `${orderId}/${what}`,
      subject: orderId,
      data: { tenant, orderId, ...more } as never,
    }),
    time: '2126-01-01T00:00:00.000Z',
  });
  const refundId = `rfd_${orderId}`;
  const refund = { tenant, orderId, paymentId: 'pmt_1', refundId, amount: 2_499, currency: 'EUR' };
  return {
    tenant,
    orderId,
    confirmed: event(OrderConfirmed, 'confirmed', total),
    cancelled: event(OrderCancelled, 'cancelled', {}),
    refunded: newEvent(PaymentRefunded, { id: `${refundId}/refunded`, subject: refundId, data: refund }),
  };
}

const note = (messages: readonly Message[], { listener } = one) =>
  Promise.all(messages.map((message) => listener.note(message)));

/** Until nothing is due. */
async function seeTo({ followUp } = one): Promise<void> {
  while ((await followUp.seeToDue()) === 0) continue;
}

async function rowsOf({ tenant }: { tenant: string }) {
  const rows = async (text: string) =>
    (await database.query<{ row: unknown }>({ name: `test.${hash('md5', text)}`, text }, [tenant])).map(
      ({ row }) => row,
    );
  return {
    points: await rows(
      `select json_build_array(kind, points)::jsonb as row from point_entry where tenant = $1 order by points desc`,
    ),
    mails: await rows(`select template || ' ' || status as row from notification where tenant = $1 order by template`),
    deliveries: await rows(`select status as row from delivery where tenant = $1`),
  };
}

const good = { points: [['earned', 24]], mails: ['order-confirmed queued'], deliveries: ['waiting'] };
const never = { points: [], mails: ['order-cancelled queued'], deliveries: [] };

describe('R40 what follows an order', () => {
  it('comes once, however often and to whichever replica its event comes', async () => {
    const order = newOrder();
    const repeats = Array<Message>(20).fill(order.confirmed);
    await Promise.all([note(repeats, one), note(repeats, other)]);
    await Promise.all([seeTo(one), seeTo(other)]);
    await note(repeats);
    await seeTo();
    expect(await rowsOf(order)).toEqual(good);
  });

  it('R22 is not decided again for an event that comes when the ledger has forgotten it', async () => {
    const order = newOrder();
    await note([order.confirmed]);
    await seeTo();
    await database.query({ name: 'test.forget', text: `delete from ledger where key = $1` }, [order.confirmed.id]);
    await note([order.confirmed], other);
    await seeTo(other);
    expect(await rowsOf(order)).toEqual(good);
  });

  it('is undone when the order is cancelled afterwards, once', async () => {
    const order = newOrder();
    await note([order.confirmed]);
    await seeTo();
    for (let time = 0; time < 3; time++) {
      await note([order.cancelled, order.confirmed]);
      await seeTo(time % 2 ? one : other);
    }
    expect(await rowsOf(order)).toEqual({
      points: [
        ['earned', 24],
        ['taken_back', -24],
      ],
      mails: ['order-cancelled queued', 'order-confirmed queued'],
      deliveries: ['waiting'],
    });
  });

  it.each(['one batch', 'two batches'])('does not come when the cancellation has overtaken it, in %s', async (how) => {
    const order = newOrder();
    if (how === 'one batch') await note([order.cancelled, order.confirmed]);
    else {
      await note([order.cancelled]);
      await seeTo();
      await note([order.confirmed], other);
    }
    await seeTo();
    expect(await rowsOf(order)).toEqual(never);
  });

  it('comes when the order service is back, and takes into account what came meanwhile', async () => {
    const [kept, gone] = [newOrder(), newOrder()];
    const way = fake.way;
    fake.way = bad['answers 503']!;
    await note([kept.confirmed, gone.confirmed]);
    await seeTo();
    expect([await rowsOf(kept), await rowsOf(gone)]).toEqual(Array(2).fill({ points: [], mails: [], deliveries: [] }));
    await note([gone.cancelled]);
    fake.way = way;
    await dueNow();
    await seeTo();
    expect([await rowsOf(kept), await rowsOf(gone)]).toEqual([good, never]);
  });

  it('is given up for an order that the order service does not know, and goes on with the others', async () => {
    const [lost, good1] = [newOrder(), newOrder()];
    known.delete(lost.orderId);
    await note([lost.confirmed, good1.confirmed]);
    for (let look = 0; look < 6; look++) {
      await seeTo();
      await dueNow();
    }
    expect(await rowsOf(good1)).toEqual(good);
    const text = `select attempts, due_at from heard_order where tenant = $1`;
    expect(await database.query({ name: 'test.lost', text }, [lost.tenant])).toEqual([{ attempts: 5, due_at: null }]);
  });

  it('is told of a refund once, whether it comes before or after the order', async () => {
    const [early, late] = [newOrder(), newOrder()];
    await note([early.refunded]);
    await note([late.cancelled]);
    await seeTo();
    await note([early.cancelled, late.refunded, late.refunded]);
    await seeTo();
    for (const order of [early, late])
      expect((await rowsOf(order)).mails).toEqual(['order-cancelled queued', 'payment-refunded queued']);
  });

  it('is told of a refund that was heard at the moment at which its order became known', async () => {
    const order = newOrder();
    await note([order.cancelled, order.refunded]);
    await seeTo();
    const text = `update heard_refund set done = false, heard_at = now() - interval '1 minute' where tenant = $1`;
    await database.query({ name: 'test.open', text }, [order.tenant]);
    await database.query({ name: 'test.unsent', text: `delete from notification where tenant = $1` }, [order.tenant]);
    await seeTo();
    await seeTo();
    expect((await rowsOf(order)).mails).toContain('payment-refunded queued');
  });

  it('is only points for orders of before its birth, by event or by backfill', async () => {
    const [heard, read] = [newOrder(), newOrder()];
    await note([{ ...heard.confirmed, time: '2006-01-01T00:00:00.000Z' }]);
    const content = { customerId: 'bob', lines };
    const row = {
      ...read,
      status: 'confirmed',
      wasConfirmed: true,
      earlier: true,
      amount: 2_499,
      currency: 'EUR',
    } as const;
    for (let time = 0; time < 2; time++)
      await database.transaction(async (tx) => saveEarlier(tx, [{ ...row, content }]));
    await seeTo();
    for (const order of [heard, read])
      expect(await rowsOf(order)).toEqual({
        ...good,
        mails: ['order-confirmed suppressed'],
        deliveries: ['elsewhere'],
      });
    // It is known now, so its event changes nothing.
    await note([read.confirmed]);
    await seeTo();
    expect((await rowsOf(read)).deliveries).toEqual(['elsewhere']);
  });

  it('writes all of a batch or nothing, and comes behind a crash', async () => {
    const order = newOrder();
    await note([order.confirmed]);
    const taken = `update heard_order set due_at = now() + interval '1 hour', attempts = 1 where tenant = $1`;
    await database.query({ name: 'test.killed', text: taken }, [order.tenant]);
    await seeTo();
    expect((await rowsOf(order)).points).toEqual([]);
    await dueNow();
    await seeTo(other);
    expect(await rowsOf(order)).toEqual(good);
  });

  it('refuses an event that cannot be read, so that it becomes a dead letter', async () => {
    const { confirmed } = newOrder();
    await expect(note([{ ...confirmed, data: { tenant: 'acme' } }])).rejects.toThrow('cannot be read');
  });
});

const dueNow = () =>
  database.query({ name: 'test.due', text: `update heard_order set due_at = now() where due_at is not null` });
