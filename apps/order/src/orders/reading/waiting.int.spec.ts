/** Waiting for an order at two replicas without timers on one database. Hints between them may be lost. */
import { randomUUID } from 'node:crypto';
import type { Broker } from '@shop/messaging';
import { eventually, useStack } from '@shop/testing';
import { insertProduct } from '../../../testing/catalogue';
import { bodyOf, type LoneReplica, openLoneReplica, placeWith, replyWith } from '../../../testing/lone-replica';
import { createOrderTables } from '../../../testing/order-schema';
import { refused, succeeded } from '../../../testing/participants';
import type { Order } from '../order';
import type { OrderKey } from '../orders.repository';

const stack = useStack({ migrate: createOrderTables });
/** The longest wait in these tests. No test should reach it. */
const WAIT_MS = 20_000;
/** After this time, a waiting request looks again by itself. */
const LOOK_AGAIN_MS = 1_000;

let here: LoneReplica;
let there: LoneReplica;
let hintsAreLost = false;

beforeAll(async () => {
  const brokers = brokersOf(2);
  [here, there] = (await Promise.all(brokers.map((broker) => openLoneReplica(stack.databaseUrl, broker)))) as [
    LoneReplica,
    LoneReplica,
  ];
  await insertProduct(here.database, 'acme', 'cup', { name: 'Cup', unitPrice: { amount: 100, currency: 'EUR' } });
});
afterAll(() => Promise.all([here.close(), there.close()]));
afterEach(() => {
  hintsAreLost = false;
  here.database.undisturbed();
});

/** Each broker gets the messages of the others a moment later. */
function brokersOf(count: number): Pick<Broker, 'nats' | 'subscribe'>[] {
  type Take = (message: { string: () => string }) => void;
  const listeners: Take[] = [];
  return Array.from({ length: count }, (_, index) => {
    const nats = {
      isClosed: () => false,
      publish: (_subject: string, text: string) => {
        if (hintsAreLost) return;
        const others = listeners.filter((_listener, at) => at !== index);
        for (const tell of others) setImmediate(() => tell({ string: () => text }));
      },
    };
    const subscribe = (_subject: string, take: Take) => (listeners[index] = take);
    return { nats, subscribe } as unknown as Pick<Broker, 'nats' | 'subscribe'>;
  });
}

async function placed(replica = here): Promise<OrderKey> {
  return { tenant: 'acme', id: bodyOf(await placeWith(replica, ['cup'])).id };
}

/** Gives all replies but the last to an order that will be confirmed. */
async function almostConfirmed(replica = here): Promise<OrderKey> {
  const key = await placed(replica);
  for (const action of ['reserve/do', 'charge/do']) await replyWith(replica, key.id, action, succeeded);
  return key;
}
const confirm = (key: OrderKey, replica = here) => replyWith(replica, key.id, 'confirm/do', succeeded);

async function confirmed(replica = here): Promise<OrderKey> {
  const key = await almostConfirmed(replica);
  await confirm(key, replica);
  return key;
}

/** Resolves when the client has asked and the service has read the order. */
async function asked(replica: LoneReplica, key: OrderKey): Promise<{ answer: Promise<Order> }> {
  const waiting = replica.watch.size;
  const { reads } = replica.database;
  const answer = replica.orders.getSettled(key, WAIT_MS, { isGone: () => false });
  answer.catch(() => undefined);
  await eventually(() => expect(replica.database.reads).toBeGreaterThan(reads));
  expect(replica.watch.size).toBe(waiting + 1);
  await new Promise(setImmediate);
  return { answer };
}

async function timed<T>(work: Promise<T>): Promise<{ result: T; ms: number }> {
  const started = performance.now();
  return { result: await work, ms: performance.now() - started };
}

describe('R31 who waits for an order', () => {
  it.each([
    ['that was placed here', () => here],
    ['that another replica has placed', () => there],
  ])('%s looks first, and once more when it is settled: moves on the way cost nothing', async (_, placer) => {
    const key = await placed(placer());
    const before = here.database.reads;
    const { answer } = await asked(here, key);
    expect(here.database.reads - before).toBe(1);
    for (const action of ['reserve/do', 'charge/do']) await replyWith(placer(), key.id, action, succeeded);
    await new Promise(setImmediate);
    expect(here.database.reads - before).toBe(1);
    await confirm(key, placer());
    const order = await answer;
    expect(here.database.reads - before).toBe(2);
    expect(order).toMatchObject({ status: 'confirmed', version: 2 });
    expect(order).toEqual(await there.orders.get(key));
  });

  it('is told what a read would tell, for all of several that wait', async () => {
    const key = await almostConfirmed();
    const waiting = [await asked(here, key), await asked(here, key), await asked(there, key)];
    await confirm(key);
    const orders = await Promise.all(waiting.map(({ answer }) => answer));
    expect(orders).toEqual(Array<Order>(3).fill(await there.orders.get(key)));
    expect(here.watch.size + there.watch.size).toBe(0);
  });

  it('that is refused gets the reason', async () => {
    const key = await placed();
    const { answer } = await asked(here, key);
    await replyWith(here, key.id, 'reserve/do', refused('out_of_stock'));
    const order = await answer;
    expect(order).toMatchObject({ status: 'cancelled', reason: 'out_of_stock' });
    expect(order).toEqual(await there.orders.get(key));
  });

  it('that is being cancelled after it was confirmed gets the end of that', async () => {
    const key = await confirmed();
    await here.orders.cancel(key);
    const { cancelSagaId } = await there.orders.get(key);
    const { answer } = await asked(here, key);
    for (const action of ['stop-delivery/do', 'refund/do', 'restock/do'])
      await replyWith(here, cancelSagaId!, action, succeeded);
    const order = await answer;
    expect(order).toMatchObject({ status: 'cancelled', reason: 'cancelled_by_client', cancelSagaId, version: 4 });
    expect(order).toEqual(await there.orders.get(key));
  });

  it('that is settled gets it at once, whoever has settled it', async () => {
    const mine = await confirmed();
    const other = await almostConfirmed();
    await confirm(other, there);
    await new Promise(setImmediate);
    for (const key of [mine, other]) {
      for (const replica of [here, there]) {
        const { result, ms } = await timed(replica.orders.getSettled(key, WAIT_MS, { isGone: () => false }));
        expect(result.status).toBe('confirmed');
        expect(ms).toBeLessThan(LOOK_AGAIN_MS / 2);
      }
    }
  });

  it('that is not there, or another tenant’s, is told so at once', async () => {
    const { id } = await placed();
    for (const key of [
      { tenant: 'rival', id },
      { tenant: 'acme', id: randomUUID() },
    ]) {
      await expect(here.orders.getSettled(key, WAIT_MS, { isGone: () => false })).rejects.toMatchObject({
        code: 'order_not_found',
      });
    }
  });

  it('gets the order as it is when the time is up', async () => {
    const key = await placed();
    const { result, ms } = await timed(here.orders.getSettled(key, 200, { isGone: () => false }));
    expect(result).toEqual(await there.orders.get(key));
    expect(ms).toBeGreaterThanOrEqual(190);
  });
});

describe('R31 R11 who waits here while another replica', () => {
  const cancelThere = async (key: OrderKey) => {
    await there.orders.cancel(key);
    await replyWith(there, key.id, 'reserve/undo', succeeded);
  };

  it('cancels the order is told of it', async () => {
    const key = await placed();
    const { answer } = await asked(here, key);
    await cancelThere(key);
    const { result, ms } = await timed(answer);
    expect(result).toMatchObject({ status: 'cancelled', reason: 'cancelled_by_client' });
    expect(result).toEqual(await there.orders.get(key));
    expect(ms).toBeLessThan(LOOK_AGAIN_MS / 2);
  });

  it('cancels it, and the hint is lost, finds out a second later', async () => {
    const key = await placed();
    const { answer } = await asked(here, key);
    hintsAreLost = true;
    await cancelThere(key);
    expect(await answer).toEqual(await there.orders.get(key));
  });

  it('had settled it before, and the hint was lost, is told at the first look', async () => {
    const key = await almostConfirmed();
    hintsAreLost = true;
    await confirm(key, there);
    const before = here.database.reads;
    const { result, ms } = await timed(here.orders.getSettled(key, WAIT_MS, { isGone: () => false }));
    expect(result).toMatchObject({ status: 'confirmed', version: 2 });
    expect(here.database.reads - before).toBe(1);
    expect(ms).toBeLessThan(LOOK_AGAIN_MS / 2);
  });
});

describe('R30 a client that has cancelled at another replica what is just being confirmed here', () => {
  it('is not told that it is confirmed, nor is who asked before', async () => {
    const key = await almostConfirmed();
    const early = await asked(here, key);
    let late!: Promise<Order>;
    here.database.afterCommit = async () => {
      here.database.undisturbed();
      // This is committed, but this replica has got no hint.
      await there.orders.cancel(key);
      ({ answer: late } = await asked(here, key));
    };
    await confirm(key);
    const { cancelSagaId } = await there.orders.get(key);
    for (const action of ['stop-delivery/do', 'refund/do', 'restock/do'])
      await replyWith(there, cancelSagaId!, action, succeeded);
    expect(await late).toMatchObject({ status: 'cancelled', version: 4 });
    expect(await early.answer).toEqual(await late);
  });
});

describe('R17 a settlement that is rolled back', () => {
  it('is told to nobody', async () => {
    const key = await almostConfirmed();
    const { answer } = await asked(here, key);
    const before = here.database.reads;
    here.database.beforeCommit = () => {
      throw Object.assign(new Error('Connection terminated unexpectedly'), { code: '08006' });
    };
    await expect(confirm(key)).rejects.toThrow('Connection terminated');
    here.database.undisturbed();
    await new Promise(setImmediate);
    expect(here.watch.size).toBe(1);
    // Nobody was woken to look again.
    expect(here.database.reads).toBe(before);
    // The wish is kept for the end of the saga. The order is not confirmed then.
    await here.orders.cancel(key);
    await confirm(key);
    const { status, cancelSagaId } = await there.orders.get(key);
    expect(status).toBe('cancelling');
    for (const action of ['stop-delivery/do', 'refund/do', 'restock/do'])
      await replyWith(here, cancelSagaId!, action, succeeded);
    expect(await answer).toEqual(await there.orders.get(key));
    expect((await answer).status).toBe('cancelled');
  });
});
