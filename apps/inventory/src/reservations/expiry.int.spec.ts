/** The end of reservations: by the timers of two replicas, and in races with clients and with the sagas of orders. */
import { randomUUID } from 'node:crypto';
import { ConfirmReservation, customerHash, ReserveStock } from '@shop/contracts';
import { PostgresLedger } from '@shop/idempotency';
import { newMessage, type Reply } from '@shop/messaging';
import { Database } from '@shop/postgres';
import { eventually, useStack } from '@shop/testing';
import { callers, expectProblem, InventoryApp, linesOf, newSku } from '../../testing/inventory-app';
import { openInventoryReplica } from '../../testing/replica';

const stack = useStack();
let here: InventoryApp;
let there: InventoryApp;

beforeAll(async () => {
  [here, there] = await Promise.all([InventoryApp.start(stack), InventoryApp.start(stack)]);
});
afterEach(expectBooksToBalance);
afterAll(() => Promise.all([here.close(), there.close()]));

describe('a reservation whose time is over', () => {
  it('ends by itself, and its pieces are free', async () => {
    const { sku, id } = await reserved({ ttlSeconds: 1 });
    await eventually(async () => expect(await statusOf(id)).toBe('expired'));
    expect(await piecesOf(sku)).toEqual([5, 0]);
    expect((await there.reservation(id)).json()).toMatchObject({ version: 2 });
  });

  it('is found by a replica that has not made it', async () => {
    const { sku, id } = await reserved();
    await makeOverdue([id]);
    await eventually(async () => expect(await statusOf(id)).toBe('expired'));
    expect(await piecesOf(sku)).toEqual([5, 0]);
  });

  it('R37 ends once, when the timers of two replicas look for a hundred and more of them', async () => {
    const sku = newSku();
    await here.put(sku, 1_000);
    const made = await Promise.all(
      Array.from({ length: 250 }, (_, nth) => (nth % 2 ? here : there).reserve(linesOf([sku, 2]))),
    );
    const ids = made.map((answer) => answer.json<{ id: string }>().id);
    await makeOverdue(ids);
    for (const app of [here, there]) app.lookForExpired();
    await eventually(async () => expect(await piecesOf(sku)).toEqual([1_000, 0]));
    const rows = await here.query<{ version: number; count: number }>(
      `select version, count(*)::int as count from reservation
       where id = any($1) and status = 'expired' group by version`,
      [ids],
    );
    expect(rows).toEqual([{ version: 2, count: 250 }]);
  });

  it('stays as it is until then, and is given back without harm afterwards', async () => {
    const { sku, id } = await reserved();
    here.lookForExpired();
    expect(await statusOf(id)).toBe('open');
    await expired(id);
    expect((await here.release(id)).statusCode).toBe(204);
    expect(await statusOf(id)).toBe('expired');
    expect(await piecesOf(sku)).toEqual([5, 0]);
  });

  it('is not held up by one whose stock was changed by hand', async () => {
    const [broken, sound] = [await reserved(), await reserved()];
    await here.query('update stock set reserved = 0 where sku = $1', [broken.sku]);
    await makeOverdue([broken.id, sound.id]);
    here.lookForExpired();
    await eventually(async () => expect(await statusOf(sound.id)).toBe('expired'));
    expect(await statusOf(broken.id)).toBe('open');
    await here.query('update stock set reserved = 2 where sku = $1', [broken.sku]);
    here.lookForExpired();
    await eventually(async () => expect(await statusOf(broken.id)).toBe('expired'));
  });

  it('of the saga of an order ends, too', async () => {
    const sku = newSku();
    await here.put(sku, 5);
    const saga = randomUUID();
    expect(await perform(here, reserve(saga, sku))).toEqual({ outcome: 'succeeded' });
    const [row] = await here.query<{ days: number }>(
      `select extract(epoch from expires_at - created_at)::int / 86400 as days from reservation where id = $1`,
      [saga],
    );
    expect(row!.days).toBe(3);
    await makeOverdue([saga]);
    here.lookForExpired();
    await eventually(async () => expect(await piecesOf(sku)).toEqual([5, 0]));
    expect(await perform(there, confirm(saga))).toEqual({ outcome: 'refused', reason: 'reservation_expired' });
  });
});

describe('R9 a reservation that ends in two ways at once', () => {
  it('is sold or expires, and never both', async () => {
    for (let round = 0; round < 30; round++) {
      const { sku, id: saga } = await reservedBySaga();
      await makeOverdue([saga]);
      const confirming = perform(round % 2 ? here : there, confirm(saga));
      here.lookForExpired();
      there.lookForExpired();
      const { outcome } = await confirming;
      await eventually(async () => expect(await statusOf(saga, callers.operator)).not.toBe('open'));
      const end = await statusOf(saga, callers.operator);
      expect([outcome, end]).toEqual(outcome === 'succeeded' ? ['succeeded', 'confirmed'] : ['refused', 'expired']);
      expect(await piecesOf(sku)).toEqual(end === 'confirmed' ? [3, 0] : [5, 0]);
    }
  });

  it('is given back or taken over by an order, and never both', async () => {
    for (let round = 0; round < 30; round++) {
      const { sku, id } = await reserved();
      const saga = randomUUID();
      const [reply, answer] = await Promise.all([perform(there, reserve(saga, sku, { takes: id })), here.release(id)]);
      if (reply.outcome === 'succeeded') expectProblem(answer, 409, 'reservation_used');
      else expect([reply, answer.statusCode]).toEqual([{ outcome: 'refused', reason: 'reservation_expired' }, 204]);
      expect(await piecesOf(sku)).toEqual([5, reply.outcome === 'succeeded' ? 2 : 0]);
    }
  });
});

describe('R3 a reservation that an order takes over', () => {
  it('keeps its pieces, which no one else can get in between', async () => {
    const { sku, id } = await reserved({ quantity: 5 });
    const saga = randomUUID();
    expect(await perform(there, reserve(saga, sku, { takes: id, quantity: 5 }))).toEqual({ outcome: 'succeeded' });
    expect(await piecesOf(sku)).toEqual([5, 5]);
    expect((await here.reservation(id)).json()).toMatchObject({ status: 'taken', takenBy: saga });
    expect(await perform(here, confirm(saga))).toEqual({ outcome: 'succeeded' });
    expect(await piecesOf(sku)).toEqual([0, 0]);
  });

  it('goes to one of two orders that want it at once, and a command that comes again changes nothing', async () => {
    for (let round = 0; round < 20; round++) {
      const { sku, id } = await reserved();
      const commands = [randomUUID(), randomUUID()].map((saga) => reserve(saga, sku, { takes: id }));
      const replies = await Promise.all([perform(here, commands[0]!), perform(there, commands[1]!)]);
      expect(replies.filter(({ outcome }) => outcome === 'succeeded')).toHaveLength(1);
      expect(replies).toContainEqual({ outcome: 'refused', reason: 'reservation_used' });
      expect(await Promise.all(commands.map((command) => perform(here, command)))).toEqual(replies);
      expect(await piecesOf(sku)).toEqual([5, 2]);
    }
  });

  it('has to be for the same customer, if it was for one', async () => {
    const { sku, id } = await reserved({ customerId: 'alice' });
    const take = (customerId?: string) => {
      const customer = customerId && customerHash('acme', customerId);
      return perform(here, reserve(randomUUID(), sku, { takes: id, customer }));
    };
    const mismatch = { outcome: 'refused', reason: 'reservation_mismatch' };
    expect(await take('bob')).toEqual(mismatch);
    expect(await take('alice')).toEqual({ outcome: 'succeeded' });
  });
});

interface Wanted {
  quantity?: number;
  ttlSeconds?: number;
  customerId?: string;
}

/** A SKU with five pieces, some of which a client has reserved. */
async function reserved({ quantity = 2, ...more }: Wanted = {}): Promise<{ sku: string; id: string }> {
  const sku = newSku();
  await here.put(sku, 5);
  const made = await here.reserve({ ...linesOf([sku, quantity]), ...more });
  expect(made.statusCode).toBe(201);
  return { sku, id: made.json<{ id: string }>().id };
}

async function reservedBySaga(): Promise<{ sku: string; id: string }> {
  const [sku, id] = [newSku(), randomUUID()];
  await here.put(sku, 5);
  expect(await perform(here, reserve(id, sku))).toEqual({ outcome: 'succeeded' });
  return { sku, id };
}

async function expired(id: string): Promise<void> {
  await makeOverdue([id]);
  here.lookForExpired();
  await eventually(async () => expect(await statusOf(id)).toBe('expired'));
}

const makeOverdue = (ids: readonly string[]) =>
  here.query(`update reservation set expires_at = now() - interval '1 second' where id = any($1)`, [ids]);

const statusOf = async (id: string, key: string = callers.customer) =>
  (await there.reservation(id, key)).json<{ status: string }>().status;

async function piecesOf(sku: string): Promise<[onHand: number, reserved: number]> {
  const { onHand, reserved } = (await there.get(sku)).json<{ onHand: number; reserved: number }>();
  return [onHand, reserved];
}

const ledger = new PostgresLedger();

const perform = (app: InventoryApp, command: ReturnType<typeof newMessage>): Promise<Reply> =>
  openInventoryReplica({ database: app.app.get(Database), ledger }).perform(command);

function command(saga: string, action: string, type: string, data: object) {
  const message = { id: `${saga}/${action}`, type, source: 'order', subject: saga };
  return newMessage({ ...message, data: { tenant: 'acme', reservationId: saga, ...data } });
}

const reserve = (
  saga: string,
  sku: string,
  { quantity = 2, ...more }: { takes?: string; customer?: string; quantity?: number } = {},
) => command(saga, 'reserve/do', ReserveStock.type, { ...linesOf([sku, quantity]), ...more });

const confirm = (saga: string) => command(saga, 'confirm/do', ConfirmReservation.type, {});

/** R37: for every SKU of the tenant, on hand is the sum of the movements, and reserved is what is held. */
async function expectBooksToBalance(): Promise<void> {
  const { items } = (await there.call('GET', '/stock-checks?limit=200')).json<{ items: { ok: boolean }[] }>();
  expect(items.length).toBeGreaterThan(0);
  expect(items.filter(({ ok }) => !ok)).toEqual([]);
}
