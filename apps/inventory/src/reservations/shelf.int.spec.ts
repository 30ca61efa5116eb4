/** Places, bundles, queues, limits and reservations of clients on a real PostgreSQL, with two replicas. */
import { createHash, randomUUID } from 'node:crypto';
import type { StockLine } from '@shop/contracts';
import { PostgresLedger } from '@shop/idempotency';
import type { Message, Reply } from '@shop/messaging';
import { createDatabase, Database, type Tx } from '@shop/postgres';
import { applyMigrations } from '@shop/postgres/testing';
import { eventually, seededRandom, useStack } from '@shop/testing';
import { confirm, line, refused, release, reserve, restock, succeeded, tenant } from '../../testing/commands';
import { openInventoryReplica } from '../../testing/replica';
import { faultsOfStock } from '../../testing/stock-faults';
import { inventoryMigrations } from '../migrations';
import type { Stock } from '../stock/stock';
import { StockEntity } from '../stock/stock.entity';
import { adjustStock, createStock, lockOneStock } from '../stock/stock.repository';
import { ComponentsChangedError, loadShelf, saveShelf } from '../stock/shelf.repository';
import { fillQueue } from './fill-queue';

const stack = useStack({
  migrate: (url) => applyMigrations(url, inventoryMigrations),
  templateKey: 'inventory',
});
let one: WatchedDatabase;
let other: WatchedDatabase;

beforeAll(async () => {
  [one, other] = [open('one'), open('other')];
  await Promise.all([one.connect(), other.connect()]);
});
afterEach(async () => expect(await faultsOfStock(one)).toEqual([]));
afterAll(() => Promise.all([one.close(), other.close()]));

describe('R37 a batch without places, bundles, queues and limits', () => {
  it('sends the statements that it always sent, and no other', async () => {
    const sku = await newStock(10);
    const id = randomUUID();
    await perform(one, [reserve(id, [line(sku, 1)]), reserve(randomUUID(), [line(sku, 2)]), confirm(id)]);
    await perform(one, [restock(id)]);
    one.statements.length = 0;
    const next = randomUUID();
    await perform(one, [reserve(next, [line(sku, 1)]), confirm(next), release(randomUUID())]);
    const ours = one.statements.filter((name) => !name.startsWith('ledger'));
    expect(ours).toEqual([
      'reservation.select-for-update',
      'stock.select-all-for-update',
      'stock.update',
      'reservation.insert',
      'stock-movement.insert',
    ]);
  });

  it('writes when the reservation of an order ends, and that a saga has made it', async () => {
    const sku = await newStock(10);
    const id = randomUUID();
    await perform(one, [reserve(id, [line(sku, 1)], { customer: hashOf('ann') })]);
    const [row] = await rows(
      `select extract(epoch from expires_at - created_at)::int as seconds, placed_by, customer, pieces, version
       from reservation where id = $1`,
      [id],
    );
    expect(row).toEqual({ seconds: 259_200, placed_by: null, customer: null, pieces: null, version: 1 });
  });
});

describe('R37 pieces at places', () => {
  it('are reserved just when all places together have enough, and stay exact at each', async () => {
    const sku = await newStock(0, { places: { a: 2, b: 3, c: 1, d: 0, e: 4 } });
    const id = randomUUID();
    expect(await perform(one, [reserve(id, [line(sku, 11)])])).toEqual([refused('out_of_stock')]);
    const [held, more] = [randomUUID(), randomUUID()];
    const replies = await perform(one, [reserve(held, [line(sku, 8)]), reserve(more, [line(sku, 3)])]);
    expect(replies).toEqual([succeeded(), refused('out_of_stock')]);
    await perform(other, [confirm(held)]);
    expect(await placesOf(sku)).toEqual({ a: [1, 0], b: [0, 0], c: [1, 0], d: [0, 0], e: [0, 0] });
    await perform(one, [restock(held)]);
    expect(await placesOf(sku)).toEqual({ a: [2, 0], b: [3, 0], c: [1, 0], d: [0, 0], e: [4, 0] });
  });

  it('sell the last one once to 200 buyers on two replicas', async () => {
    const sku = await newStock(0, { places: { a: 0, b: 1, c: 0 } });
    const buyers = Array.from({ length: 200 }, () => reserve(randomUUID(), [line(sku, 1)]));
    expect(countOf(await onTwoReplicasAtOnce(buyers), 'succeeded')).toBe(1);
  });

  it('of a reservation of before are where its SKU had them: at main', async () => {
    const sku = await newStock(5);
    const id = randomUUID();
    await rows(`insert into reservation (tenant, id, lines, status) values ($1, $2, $3, 'open')`, [
      ...[tenant, id, JSON.stringify([line(sku, 2)])],
    ]);
    await rows(`update stock set reserved = 2, located = true where sku = $1`, [sku]);
    await rows(`insert into stock_place values ($1, $2, 'main', 5, 2)`, [tenant, sku]);
    await rows(`update stock_movement set place = 'main' where sku = $1`, [sku]);
    expect(await perform(one, [confirm(id)])).toEqual([succeeded()]);
    expect(await placesOf(sku)).toEqual({ main: [3, 0] });
  });
});

describe('R37 bundles', () => {
  it('that share the last piece are sold once, and never deadlock in any order', async () => {
    const [cup, pot] = [await newStock(0, { places: { a: 400, b: 400 } }), await newStock(61)];
    const [set, duo] = [await newBundle([line(cup, 2), line(pot, 1)]), await newBundle([line(pot, 1), line(cup, 1)])];
    const there = Array.from({ length: 40 }, () => reserve(randomUUID(), [line(set, 1), line(duo, 1)]));
    const back = Array.from({ length: 40 }, () => reserve(randomUUID(), [line(duo, 1), line(set, 1)]));
    const before = one.attempts + other.attempts;
    // Each command runs in its own transaction, and all of them at once.
    const alone = (database: Database, commands: Message[]) =>
      Promise.all(commands.map((command) => replicaOf(database).perform(command)));
    const replies = (await Promise.all([alone(one, there), alone(other, back)])).flat();
    expect(countOf(replies, 'succeeded')).toBe(30);
    // A transaction that lost a deadlock would count as another attempt.
    expect(one.attempts + other.attempts - before).toBe(80);
    expect(await stockOf(pot)).toMatchObject({ onHand: 61, reserved: 60 });
    expect(await stockOf(cup)).toMatchObject({ onHand: 800, reserved: 90 });
  });

  it('that change while their row is waited for are read again', async () => {
    const [cup, jug] = [await newStock(5), await newStock(5)];
    const set = await newBundle([line(cup, 2)]);
    let replies: Promise<Reply[]> | undefined;
    const before = one.attempts;
    await other.transaction(async (tx) => {
      await lockOneStock(tx, tenant, set);
      replies = perform(one, [reserve(randomUUID(), [line(set, 1)])]);
      // Only when it waits for the row, it has read the components of before.
      await eventually(async () => expect(await waiters()).toBe(1));
      const text = `update stock set components = $2::jsonb where sku = $1`;
      await tx.query({ name: 'test.change-bundle', text }, [set, JSON.stringify([line(jug, 3)])]);
    });
    expect(await replies).toEqual([succeeded()]);
    expect(one.attempts - before).toBe(2);
    expect(await stockOf(cup)).toMatchObject({ reserved: 0 });
    expect(await stockOf(jug)).toMatchObject({ reserved: 3 });
  });
});

describe('R37 a queue', () => {
  it('gives what arrives to those who came first, once, on two replicas at once, and to no newcomer', async () => {
    const sku = await newStock(1, { backorderLimit: 6 });
    const ids = Array.from({ length: 4 }, () => randomUUID());
    const replies = await perform(
      one,
      ids.map((id) => reserve(id, [line(sku, 2)])),
    );
    // One piece is there, and six may be awaited.
    expect(replies).toEqual([succeeded(), succeeded(), succeeded(), refused('out_of_stock')]);
    await perform(one, [confirm(ids[1]!)]);
    await arrive(sku, 2);
    expect(await perform(other, [reserve(ids[3]!, [line(sku, 2)])])).toEqual([refused('out_of_stock')]);
    await fillOnBoth(sku);
    expect(await stockOf(sku)).toMatchObject({ onHand: 2, reserved: 5, awaited: 3 });
    expect(await queueOf(sku)).toEqual([
      [ids[1], 1],
      [ids[2], 2],
    ]);
    await arrive(sku, 5);
    await fillOnBoth(sku);
    // The two pieces of the confirmed reservation have left.
    expect(await stockOf(sku)).toMatchObject({ onHand: 6, reserved: 4, awaited: 0 });
    expect(await queueOf(sku)).toEqual([]);
  });

  it('loses who gives up, and keeps the place of who is taken over', async () => {
    const sku = await newStock(0, { backorderLimit: 9 });
    const [first, last, saga] = [randomUUID(), randomUUID(), randomUUID()];
    for (const id of [first, last]) await reserveAsClient(one, id, [line(sku, 2)]);
    expect(await perform(one, [reserve(saga, [line(sku, 2)], { takes: last })])).toEqual([succeeded()]);
    expect(await queueOf(sku)).toEqual([
      [first, 2],
      [saga, 2],
    ]);
    await endAsClient(other, first, 'expire');
    await arrive(sku, 2);
    await fillOnBoth(sku);
    expect(await perform(one, [confirm(saga)])).toEqual([succeeded()]);
    expect(await stockOf(sku)).toMatchObject({ onHand: 0, reserved: 0, awaited: 0 });
  });
});

describe('R37 a limit for each customer', () => {
  it('is kept by two replicas, and what is given back may be reserved again', async () => {
    const sku = await newStock(100, { customerLimit: 2 });
    const [ann, bob] = [hashOf('ann'), hashOf('bob')];
    const orders = Array.from({ length: 40 }, () => reserve(randomUUID(), [line(sku, 1)], { customer: ann }));
    const replies = await onTwoReplicasAtOnce(orders);
    expect(countOf(replies, 'succeeded')).toBe(2);
    expect(replies.filter(({ reason }) => reason === 'limit_reached')).toHaveLength(38);
    const again = () => reserve(randomUUID(), [line(sku, 2)], { customer: ann });
    expect(await perform(one, [reserve(randomUUID(), [line(sku, 2)], { customer: bob })])).toEqual([succeeded()]);
    expect(await perform(one, [again(), reserve(randomUUID(), [line(sku, 1)])])).toEqual([
      refused('limit_reached'),
      refused('limit_reached'),
    ]);
    const held = orders.filter((_, index) => replies[index]!.outcome === 'succeeded').map(({ subject }) => subject);
    await perform(other, [release(held[0]!), confirm(held[1]!)]);
    expect(await perform(one, [again()])).toEqual([refused('limit_reached')]);
    await perform(other, [restock(held[1]!)]);
    expect(await perform(one, [again()])).toEqual([succeeded()]);
  });
});

describe('R37 an order that takes a reservation over', () => {
  it('or its expiry comes first, never both, on two replicas', async () => {
    const sku = await newStock(3);
    for (let round = 0; round < 20; round++) {
      const [held, saga] = [randomUUID(), randomUUID()];
      await reserveAsClient(one, held, [line(sku, 3)]);
      const [replies, ended] = await Promise.all([
        perform(one, [reserve(saga, [line(sku, 3)], { takes: held })]),
        endAsClient(other, held, 'expire'),
      ]);
      expect(replies).toEqual([ended === 'expired' ? refused('reservation_expired') : succeeded()]);
      expect(await statusOf(held)).toBe(ended === 'expired' ? 'expired' : 'taken');
      expect(await stockOf(sku)).toMatchObject({ onHand: 3, reserved: ended === 'expired' ? 0 : 3 });
      await perform(one, [release(saga)]);
    }
  });

  it('is one of many that want it', async () => {
    const sku = await newStock(3);
    const held = randomUUID();
    await reserveAsClient(one, held, [line(sku, 3)]);
    const orders = Array.from({ length: 30 }, () => reserve(randomUUID(), [line(sku, 3)], { takes: held }));
    const replies = await onTwoReplicasAtOnce(orders);
    expect(countOf(replies, 'succeeded')).toBe(1);
    expect(replies.filter(({ reason }) => reason === 'reservation_used')).toHaveLength(29);
  });

  it('is refused for reasons that say what is wrong', async () => {
    const sku = await newStock(9);
    const [held, gone, ofSaga] = [randomUUID(), randomUUID(), randomUUID()];
    await reserveAsClient(one, held, [line(sku, 2)], hashOf('ann'));
    await reserveAsClient(one, gone, [line(sku, 2)]);
    await endAsClient(one, gone, 'release');
    await perform(one, [reserve(ofSaga, [line(sku, 2)])]);
    const taking = (takes: string, quantity = 2, customer = hashOf('ann')) =>
      reserve(randomUUID(), [line(sku, quantity)], { takes, customer });
    expect(
      await perform(one, [
        ...[taking(randomUUID()), taking(gone), taking(ofSaga), taking(held, 3), taking(held, 2, hashOf('bob'))],
        // A client may have chosen the id of a saga.
        reserve(held, [line(sku, 2)]),
        confirm(held),
      ]),
    ).toEqual([
      ...[refused('reservation_expired'), refused('reservation_expired'), refused('reservation_mismatch')],
      ...[refused('reservation_mismatch'), refused('reservation_mismatch'), refused('reservation_mismatch')],
      refused('reservation_expired'),
    ]);
    expect(await statusOf(held)).toBe('open');
    expect(await perform(one, [taking(held), taking(held)])).toEqual([succeeded(), refused('reservation_used')]);
  });
});

it('R37 keeps its books under a random load of everything on two replicas', async () => {
  const random = seededRandom(20_261_129);
  const cup = await newStock(0, { places: { a: 9, b: 9, c: 9 }, backorderLimit: 5 });
  const pot = await newStock(12, { backorderLimit: 8, customerLimit: 9 });
  const jug = await newStock(20);
  const set = await newBundle([line(cup, 2), line(pot, 1)]);
  const someLines = () =>
    random
      .shuffle([cup, pot, jug, set])
      .slice(0, 2)
      .map((sku) => line(sku, 1 + random.int(2)));
  const works = Array.from({ length: 120 }, () => async () => {
    const database = random.pick([one, other]);
    const [held, saga, lines] = [randomUUID(), randomUUID(), someLines()];
    const customer = hashOf(random.pick(['ann', 'bob', 'cleo']));
    const isClient = random.int(2) === 0;
    if (isClient) await reserveAsClient(database, held, lines, customer);
    if (random.int(4) === 0) await endAsClient(random.pick([one, other]), held, random.pick(['expire', 'release']));
    await perform(database, [reserve(saga, lines, isClient ? { takes: held, customer } : { customer })]);
    const ending = random.pick([confirm, confirm, release])(saga);
    await perform(random.pick([one, other]), [ending]);
    if (random.int(4) === 0) await perform(database, [restock(saga)]);
    if (random.int(6) === 0) await arrive(pot, 1);
    await fillQueue(random.pick([one, other]), { tenant, sku: random.pick([cup, pot]) });
  });
  await Promise.all(works.map((work) => work()));
  const [counted] = await rows(
    `select count(*) filter (where status = 'taken')::int as taken, count(*) filter (where status = 'expired')::int as expired,
            count(*) filter (where awaited is not null or pieces is not null)::int as special from reservation`,
  );
  // The load was real.
  expect(Math.min(...Object.values(counted as Record<string, number>))).toBeGreaterThan(0);
});

/** Notes its statements, and counts the transactions that were begun, including those that were begun again. */
class WatchedDatabase extends Database {
  attempts = 0;
  readonly statements: string[] = [];

  override transaction<T>(work: (tx: Tx) => Promise<T>, retryOn?: (error: unknown) => boolean): Promise<T> {
    return super.transaction((tx) => {
      this.attempts++;
      const noted: Tx = {
        ...tx,
        query: (statement, values) => {
          this.statements.push(statement.name);
          return tx.query(statement, values);
        },
        send: (statement, values) => {
          this.statements.push(statement.name);
          tx.send(statement, values);
        },
      };
      return work(noted);
    }, retryOn);
  }
}

function open(name: string): WatchedDatabase {
  const options = { url: stack.databaseUrl, applicationName: name, entities: [StockEntity] };
  return new WatchedDatabase(createDatabase(options).dataSource);
}

interface Terms {
  backorderLimit?: number;
  customerLimit?: number;
  places?: Record<string, number>;
}

async function newStock(onHand: number, { backorderLimit = 0, customerLimit, places }: Terms = {}): Promise<string> {
  const sku = `sku-${randomUUID()}`;
  const all = Object.entries(places ?? {});
  await createStock(one, tenant, sku, places ? 0 : onHand);
  await rows(
    `update stock set backorder_limit = $2, customer_limit = $3, located = $4, on_hand = on_hand + $5 where sku = $1`,
    [
      ...[sku, backorderLimit, customerLimit ?? null, places !== undefined],
      all.reduce((total, [, pieces]) => total + pieces, 0),
    ],
  );
  for (const [place, pieces] of all) {
    await rows(`insert into stock_place values ($1, $2, $3, $4)`, [tenant, sku, place, pieces]);
    await rows(
      `insert into stock_movement (tenant, sku, delta, reason, cause, place) values ($1, $2, $3, 'counted', 'PUT', $4)`,
      [tenant, sku, pieces, place],
    );
  }
  return sku;
}

async function newBundle(components: StockLine[]): Promise<string> {
  const sku = await newStock(0);
  await rows(`update stock set components = $2 where sku = $1`, [sku, JSON.stringify(components)]);
  return sku;
}

const arrive = (sku: string, delta: number) =>
  one.transaction(async (tx) => {
    const stock = await lockOneStock(tx, tenant, sku);
    adjustStock(tx, stock!, { delta, reason: 'arrived', cause: 'PUT' });
  });

const fillOnBoth = (sku: string) => Promise.all([one, other].map((database) => fillQueue(database, { tenant, sku })));

function reserveAsClient(database: Database, id: string, lines: StockLine[], customer?: string): Promise<string> {
  return database.transaction(
    async (tx) => {
      const skus = lines.map(({ sku }) => ({ tenant, sku, customer }));
      const shelf = await loadShelf(tx, { reservations: [{ tenant, id }], skus });
      const { outcome } = shelf.reserve({ tenant, id, lines, customer, placedBy: 'carl', expiresInSeconds: 900 });
      saveShelf(tx, shelf);
      return outcome;
    },
    (error) => error instanceof ComponentsChangedError,
  );
}

function endAsClient(database: Database, id: string, verb: 'expire' | 'release'): Promise<string> {
  return database.transaction(async (tx) => {
    const shelf = await loadShelf(tx, { reservations: [{ tenant, id }], skus: [] });
    const ended = shelf[verb](tenant, id);
    saveShelf(tx, shelf);
    return ended;
  });
}

const replicas = new WeakMap<Database, ReturnType<typeof openInventoryReplica>>();
const ledger = new PostgresLedger();

function replicaOf(database: Database) {
  return openInventoryReplica({ database, ledger });
}

/** Commands that arrive together are one batch. */
function perform(database: Database, commands: Message[]): Promise<Reply[]> {
  const replica = replicas.get(database) ?? replicaOf(database);
  replicas.set(database, replica);
  return Promise.all(commands.map((command) => replica.perform(command)));
}

async function onTwoReplicasAtOnce(commands: Message[]): Promise<Reply[]> {
  return Promise.all(
    commands.map(async (command, index) => (await perform(index % 2 === 0 ? one : other, [command]))[0]!),
  );
}

async function rows<Row = Record<string, unknown>>(text: string, values: unknown[] = []): Promise<Row[]> {
  return one.dataSource.query<Row[]>(text, values);
}

const stockOf = (sku: string): Promise<Stock> =>
  one.dataSource.getRepository(StockEntity).findOneByOrFail({ tenant, sku });

async function placesOf(sku: string): Promise<Record<string, number[]>> {
  const text = 'select place, on_hand, reserved from stock_place where sku = $1 order by place';
  const found = await rows<{ place: string; on_hand: string; reserved: string }>(text, [sku]);
  return Object.fromEntries(found.map((row) => [row.place, [Number(row.on_hand), Number(row.reserved)]]));
}

async function queueOf(sku: string): Promise<unknown[]> {
  const text = 'select reservation_id, quantity from backorder where sku = $1 order by position';
  const found = await rows<{ reservation_id: string; quantity: string }>(text, [sku]);
  return found.map((row) => [row.reservation_id, Number(row.quantity)]);
}

async function statusOf(id: string): Promise<string> {
  return (await rows<{ status: string }>('select status from reservation where id = $1', [id]))[0]!.status;
}

async function waiters(): Promise<number> {
  const text = `select count(*)::int as count from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`;
  return (await rows<{ count: number }>(text))[0]!.count;
}

const hashOf = (customer: string): string => createHash('sha256').update(customer).digest('hex');

const countOf = (replies: Reply[], outcome: Reply['outcome']) =>
  replies.filter((reply) => reply.outcome === outcome).length;
