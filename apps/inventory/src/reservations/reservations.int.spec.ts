/** Commands on reservations on a real PostgreSQL, with two pools that stand for two replicas. */
import { randomUUID } from 'node:crypto';
import type { StockLine } from '@shop/contracts';
import { PostgresLedger } from '@shop/idempotency';
import type { Message, Reply } from '@shop/messaging';
import { createDatabase, Database, Lane, traffic, type Tx } from '@shop/postgres';
import { applyMigrations, InterruptedDatabase } from '@shop/postgres/testing';
import { seededRandom, useStack } from '@shop/testing';
import { inventoryMigrations } from '../migrations';
import { StockEntity } from '../stock/stock.entity';
import { createStock } from '../stock/stock.repository';
import {
  confirm,
  line,
  refused,
  release,
  released,
  reserve,
  restock,
  said,
  succeeded,
  tenant,
} from '../../testing/commands';
import { openInventoryReplica } from '../../testing/replica';
import { faultsOfStock } from '../../testing/stock-faults';

const stack = useStack({ migrate: prepare, templateKey: 'inventory' });
const ledger = new PostgresLedger();
let one: CountingDatabase;
let other: CountingDatabase;

beforeAll(async () => {
  [one, other] = [open('one'), open('other')];
  await Promise.all([one.connect(), other.connect()]);
});
afterEach(async () => expect(await faultsOfStock(one)).toEqual([]));
afterAll(() => Promise.all([one.close(), other.close()]));

/** The test runs every order and repetition of a do and its undo, up to this length. */
const LONGEST_SEQUENCE = 5;

describe('R3 every order and repetition of {reserve, release}', () => {
  const sequences = sequencesOf(['do', 'undo'] as const, LONGEST_SEQUENCE);
  const ways: [string, (commands: Message[]) => Promise<Reply[]>][] = [
    ['in one batch', (commands) => perform(one, commands)],
    ['one at a time, on two replicas in turn', onTwoReplicasInTurn],
  ];

  it.each(ways)('leaves the stock right and gives consistent replies %s', async (_, run) => {
    for (const sequence of sequences) {
      const { id, sku } = await newCase({ onHand: 5 });
      const replies = await run(
        sequence.map((action) => (action === 'do' ? reserve(id, [line(sku, 2)]) : release(id))),
      );
      const done = sequence[0] === 'do';
      const expected = { do: done ? succeeded() : refused('undone'), undo: released(done) };
      expect({ sequence, replies }).toEqual({ sequence, replies: sequence.map((action) => expected[action]) });
      const reserved = done && !sequence.includes('undo') ? 2 : 0;
      expect({ sequence, ...(await stockOf(sku)) }).toMatchObject({ sequence, onHand: 5, reserved });
    }
  });

  it('comes out one way or the other when do and undo meet on two replicas', async () => {
    for (let round = 0; round < 20; round++) {
      const { id, sku } = await newCase({ onHand: 5 });
      const [[made], [unmade]] = await Promise.all([
        perform(one, [reserve(id, [line(sku, 2)])]),
        perform(other, [release(id)]),
      ]);
      const done = made!.outcome === 'succeeded';
      expect([made, unmade]).toEqual([done ? succeeded() : refused('undone'), released(done)]);
      expect(await stockOf(sku)).toMatchObject({ onHand: 5, reserved: 0 });
    }
  });
});

describe('R3 a command during which another one commits elsewhere', () => {
  it.each<[string, (id: string, sku: string) => [Message, Message], Reply[], reserved: number]>([
    [
      'release, while reserve',
      (id, sku) => [release(id), reserve(id, [line(sku, 2)])],
      [released(true), succeeded()],
      0,
    ],
    [
      'reserve, while release',
      (id, sku) => [reserve(id, [line(sku, 2)]), release(id)],
      [refused('undone'), released(false)],
      0,
    ],
    [
      'reserve, while reserve',
      (id, sku) => [reserve(id, [line(sku, 2)]), reserve(id, [line(sku, 2)])],
      [succeeded(), succeeded()],
      2,
    ],
    ['release, while release', (id) => [release(id), release(id)], [released(false), released(false)], 0],
  ])('sees it and gives the right reply: %s', async (_, commands, replies, reserved) => {
    const { id, sku } = await newCase({ onHand: 5 });
    const [early, late] = commands(id, sku);
    const interrupted = new InterruptedDatabase(one.dataSource);
    let between: Reply[] = [];
    interrupted.afterFirstStatement = async () => void (between = await perform(other, [late]));
    expect([...(await perform(interrupted, [early])), ...between]).toEqual(replies);
    expect(await stockOf(sku)).toMatchObject({ onHand: 5, reserved });
  });
});

describe('R22 a repeated command', () => {
  it('gets its stored reply, whatever the stock is by then', async () => {
    const { id, sku } = await newCase({ onHand: 1 });
    const early = reserve(id, [line(sku, 2)]);
    expect(await perform(one, [early])).toEqual([refused('out_of_stock')]);
    const held = randomUUID();
    expect(await perform(one, [reserve(held, [line(sku, 1)]), release(held)])).toEqual([succeeded(), released(true)]);
    expect(await perform(other, [early])).toEqual([refused('out_of_stock')]);
  });

  it('R11 is done once when two replicas take it at the same time, and both answer the same', async () => {
    for (let round = 0; round < 20; round++) {
      const { id, sku } = await newCase({ onHand: 5 });
      const command = reserve(id, [line(sku, 2)]);
      const replies = await Promise.all([perform(one, [command]), perform(other, [command])]);
      expect(replies).toEqual([[succeeded()], [succeeded()]]);
      expect(await stockOf(sku)).toMatchObject({ reserved: 2 });
    }
  });

  it('R20 is still done once after the ledger has forgotten it', async () => {
    const { id, sku } = await newCase({ onHand: 5 });
    const commands = [reserve(id, [line(sku, 2)]), confirm(id), restock(id)];
    expect(await onTwoReplicasInTurn(commands)).toEqual([succeeded(), succeeded(), said('restocked')]);
    await one.dataSource.query(`delete from ledger where key like $1`, [`${id}/%`]);
    expect(await perform(one, commands)).toEqual([succeeded(), refused('reservation_expired'), said('nothing_sold')]);
    expect(await stockOf(sku)).toMatchObject({ onHand: 5, reserved: 0 });
  });

  it('with another body is another command under a used name, and is refused', async () => {
    const { id, sku } = await newCase({ onHand: 5 });
    await perform(one, [reserve(id, [line(sku, 2)])]);
    expect(await perform(one, [reserve(id, [line(sku, 1)])])).toMatchObject([refused('command_id_reused')]);
    expect(await stockOf(sku)).toMatchObject({ reserved: 2 });
  });
});

describe('R37 stock under pressure', () => {
  it('sells one unit once to 500 buyers on two replicas', async () => {
    const { sku } = await newCase({ onHand: 1 });
    const buyers = Array.from({ length: 500 }, () => reserve(randomUUID(), [line(sku, 1)]));
    const replies = await onTwoReplicasAtOnce(buyers, 25);
    expect(countOf(replies, 'succeeded')).toBe(1);
    expect(replies.filter(({ reason }) => reason === 'out_of_stock')).toHaveLength(499);
    expect(await stockOf(sku)).toMatchObject({ onHand: 1, reserved: 1 });
  });

  it('never deadlocks on opposite orders of SKUs', async () => {
    const { sku: cup } = await newCase({ onHand: 1_000 });
    const { sku: pot } = await newCase({ onHand: 1_000 });
    const there = Array.from({ length: 60 }, () => reserve(randomUUID(), [line(cup, 1), line(pot, 1)]));
    const back = Array.from({ length: 60 }, () => reserve(randomUUID(), [line(pot, 1), line(cup, 1)]));
    const before = one.attempts + other.attempts;
    // Each command runs in its own transaction, and all of them at once.
    const alone = (database: Database, commands: Message[]) =>
      Promise.all(commands.map((command) => openInventoryReplica({ database, ledger }).perform(command)));
    const replies = (await Promise.all([alone(one, there), alone(other, back)])).flat();
    expect(countOf(replies, 'succeeded')).toBe(120);
    // A transaction that lost a deadlock would count as another attempt.
    expect(one.attempts + other.attempts - before).toBe(120);
    expect(await stockOf(cup)).toMatchObject({ reserved: 120 });
  });

  it('changes the row of a popular SKU once for a whole batch', async () => {
    const { sku } = await newCase({ onHand: 60 });
    const replies = await perform(
      one,
      Array.from({ length: 100 }, () => reserve(randomUUID(), [line(sku, 1)])),
    );
    expect(replies.map(({ outcome }) => outcome)).toEqual(
      Array.from({ length: 100 }, (_, index) => (index < 60 ? 'succeeded' : 'refused')),
    );
    expect(await stockOf(sku)).toMatchObject({ onHand: 60, reserved: 60, version: 2 });
  });

  it('either confirms or releases a reservation when both come at once', async () => {
    for (let round = 0; round < 20; round++) {
      const { id, sku } = await newCase({ onHand: 5 });
      await perform(one, [reserve(id, [line(sku, 2)])]);
      const [[confirmed], [unmade]] = await Promise.all([perform(one, [confirm(id)]), perform(other, [release(id)])]);
      const sold = confirmed!.outcome === 'succeeded';
      expect([confirmed, unmade]).toEqual([sold ? succeeded() : refused('reservation_expired'), released(!sold)]);
      expect(await stockOf(sku)).toMatchObject({ onHand: sold ? 3 : 5, reserved: 0 });
    }
  });

  it('keeps its books under a random load of every command, with repeats, on two replicas', async () => {
    const random = seededRandom(20_260_101);
    const skus = await Promise.all([40, 25, 10].map(async (onHand) => (await newCase({ onHand })).sku));
    const reserves = Array.from({ length: 60 }, () => {
      const [first, second] = random.shuffle(skus).map((sku) => line(sku, 1 + random.int(3)));
      return reserve(randomUUID(), [first!, second!]);
    });
    const endings = reserves.map(({ subject }) => random.pick([confirm, confirm, release])(subject));
    const returns = reserves.map(({ subject }) => random.pick([restock, release])(subject));
    const everything = [...reserves, ...endings, ...returns];
    for (const round of [reserves, endings, returns, everything]) {
      await onTwoReplicasAtOnce(random.shuffle([...round, ...round]), 10);
    }
    // The load was real: pieces were sold, and some of them came back.
    const reasons = await one.dataSource.query<{ reason: string }[]>(
      'select distinct reason from stock_movement where sku = any($1) order by reason',
      [skus],
    );
    expect(reasons.map(({ reason }) => reason)).toEqual(['counted', 'returned', 'sold']);
  });
});

describe('a batch of commands', () => {
  it('reads and locks in one round trip, and writes and commits in the next', async () => {
    const { id, sku } = await newCase({ onHand: 500 });
    const before = traffic.roundTrips;
    await perform(one, [reserve(id, [line(sku, 2)]), reserve(randomUUID(), [line(sku, 1)]), confirm(id)]);
    expect(traffic.roundTrips - before).toBe(2);
    expect(await stockOf(sku)).toMatchObject({ onHand: 498, reserved: 1 });
  });

  it.each<[string, elsewhere: (id: string) => Message, here: (id: string) => Message, Reply]>([
    ['released', release, confirm, refused('reservation_expired')],
    ['confirmed', confirm, restock, said('restocked')],
    ['confirmed', confirm, release, released(false)],
  ])('sees that another replica has %s a reservation', async (_, elsewhere, here, reply) => {
    const { id, sku } = await newCase({ onHand: 500 });
    await perform(one, [reserve(id, [line(sku, 2)])]);
    await perform(other, [elsewhere(id)]);
    expect(await perform(one, [here(id)])).toEqual([reply]);
    expect(await stockOf(sku)).toMatchObject({ reserved: 0 });
  });

  it('does not refuse what it holds already, when the ledger has forgotten that and the rest is sold', async () => {
    const { id, sku } = await newCase({ onHand: 2 });
    const command = reserve(id, [line(sku, 2)]);
    await perform(other, [command]);
    expect(await perform(one, [reserve(randomUUID(), [line(sku, 1)])])).toEqual([refused('out_of_stock')]);
    await one.dataSource.query(`delete from ledger where key like $1`, [`${id}/%`]);
    expect(await perform(one, [command])).toEqual([succeeded()]);
    expect(await stockOf(sku)).toMatchObject({ reserved: 2 });
  });
});

describe('a command that cannot be carried out', () => {
  it('is refused when nobody knows its type, and its neighbours go on', async () => {
    const { id, sku } = await newCase({ onHand: 5 });
    const strange = { ...reserve(randomUUID(), [line(sku, 1)]), type: 'inventory.juggle-stock.v1' };
    expect(await perform(one, [strange, reserve(id, [line(sku, 2)])])).toMatchObject([
      refused('unknown_command'),
      succeeded(),
    ]);
  });

  it.each<[string, (sku: string) => unknown]>([
    ['no lines', () => []],
    ['missing lines', () => undefined],
    ['a quantity of nothing', (sku) => [line(sku, 0)]],
    ['a negative quantity', (sku) => [line(sku, -1)]],
    ['half a piece', (sku) => [line(sku, 0.5)]],
    ['a SKU that is none', () => [line('a b', 1)]],
    ['lines that are no list', (sku) => line(sku, 1)],
  ])('is refused with %s, and the stock stays as it is', async (_, lines) => {
    const { id, sku } = await newCase({ onHand: 5 });
    const command = reserve(id, lines(sku) as StockLine[]);
    expect(await perform(one, [command])).toMatchObject([refused('malformed_command')]);
    expect(await perform(one, [command])).toMatchObject([refused('malformed_command')]);
    expect(await stockOf(sku)).toMatchObject({ reserved: 0, version: 1 });
  });

  it('is refused for a reservation id that is no UUID', async () => {
    const { sku } = await newCase({ onHand: 5 });
    expect(await perform(one, [reserve('order-7', [line(sku, 1)])])).toMatchObject([refused('malformed_command')]);
  });

  it('takes properties of a newer sender for granted', async () => {
    const { id, sku } = await newCase({ onHand: 5 });
    const command = reserve(id, [line(sku, 1)]);
    expect(await perform(one, [{ ...command, data: { ...(command.data as object), gift: true } }])).toEqual([
      succeeded(),
    ]);
  });
});

describe('R37 two lines of one SKU', () => {
  it('are reserved and sold as one', async () => {
    const { id, sku } = await newCase({ onHand: 5 });
    const commands = [reserve(id, [line(sku, 2), line(sku, 3)]), confirm(id)];
    expect(await onTwoReplicasInTurn(commands)).toEqual([succeeded(), succeeded()]);
    expect(await stockOf(sku)).toMatchObject({ onHand: 0, reserved: 0 });
  });

  it('are reserved for the tenant of the command only', async () => {
    const { id, sku } = await newCase({ onHand: 5 });
    const command = reserve(id, [line(sku, 1)]);
    const foreign = { ...command, data: { ...(command.data as object), tenant: 'rival' } };
    expect(await perform(one, [foreign])).toEqual([refused('out_of_stock')]);
  });
});

/** Counts the transactions that were begun, including those that were begun again. */
class CountingDatabase extends Database {
  attempts = 0;

  override transaction<T>(work: (tx: Tx) => Promise<T>, retryOn?: (error: unknown) => boolean): Promise<T> {
    return super.transaction((tx) => {
      this.attempts++;
      return work(tx);
    }, retryOn);
  }
}

function open(name: string): CountingDatabase {
  const options = { url: stack.databaseUrl, applicationName: name, entities: [StockEntity] };
  return new CountingDatabase(createDatabase(options).dataSource);
}

function prepare(url: string): Promise<void> {
  return applyMigrations(url, inventoryMigrations);
}

async function newCase({ onHand }: { onHand: number }): Promise<{ id: string; sku: string }> {
  const sku = `sku-${randomUUID()}`;
  await createStock(one, tenant, sku, onHand);
  return { id: randomUUID(), sku };
}

const replicas = new WeakMap<Database, ReturnType<typeof openInventoryReplica>>();

/** Commands that arrive together are one batch. */
function perform(database: Database, commands: Message[]): Promise<Reply[]> {
  const replica = replicas.get(database) ?? openInventoryReplica({ database, ledger });
  replicas.set(database, replica);
  return Promise.all(commands.map((command) => replica.perform(command)));
}

async function onTwoReplicasInTurn(commands: Message[]): Promise<Reply[]> {
  const replies: Reply[] = [];
  for (const [index, command] of commands.entries()) {
    replies.push(...(await perform(index % 2 === 0 ? one : other, [command])));
  }
  return replies;
}

/** Runs the commands as the service does: each replica has a lane, which runs one batch at a time. */
function onTwoReplicasAtOnce(commands: Message[], maxBatch: number): Promise<Reply[]> {
  const lanes = [one, other].map(
    (database) => new Lane({ run: (batch: Message[]) => perform(database, batch), maxBatch }),
  );
  return Promise.all(commands.map((command, index) => lanes[index % 2]!.submit(command)));
}

async function stockOf(sku: string) {
  return one.dataSource.getRepository(StockEntity).findOneByOrFail({ tenant, sku });
}

const countOf = (replies: Reply[], outcome: Reply['outcome']) =>
  replies.filter((reply) => reply.outcome === outcome).length;

function sequencesOf<T>(items: readonly T[], longest: number): T[][] {
  if (longest === 0) return [];
  const shorter = sequencesOf(items, longest - 1);
  const tails = [[], ...shorter];
  return items.flatMap((item) => tails.map((tail) => [item, ...tail]));
}
