import { chmod, cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jetstreamManager, type JetStreamManager, type PurgeOpts } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import type { Database } from '@shop/postgres';
import { type Stack, startStack } from '@shop/stack';
import { eventually, startTcpProxy, type TcpProxy, useStack } from '@shop/testing';
import { EventListener } from '../testing';
import { OutboxWorld, type Relay } from '../testing/outbox-world';
import { EVENT_STREAM } from './topology';

const stack = useStack();
const patience = { timeoutMs: 30_000 };

let folder: string;
let broker: Stack;
let nats: NatsConnection;
let manager: JetStreamManager;
let world: OutboxWorld;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'outbox-'));
  // The servers may run as somebody else.
  await chmod(folder, 0o755);
  const env = { ...process.env, DATABASE_URL: stack.adminUrl, NATS_URL: '' };
  broker = await startStack({ databases: [], dataDir: folder, env });
  nats = await connect({ servers: broker.natsUrl, maxReconnectAttempts: -1, reconnectTimeWait: 50 });
  manager = await jetstreamManager(nats);
});
afterAll(async () => {
  await nats.close();
  await broker.stop();
  await rm(folder, { recursive: true });
});

beforeEach(async () => {
  world = await OutboxWorld.open();
});
afterEach(async () => {
  await world.close();
  await manager.streams.delete(EVENT_STREAM).catch(() => undefined);
});

const listen = async (natsUrl = broker.natsUrl): Promise<EventListener> => {
  const listener = await EventListener.start({ natsUrl, database: world.database, name: 'listener', service: 'test' });
  world.onClose(() => listener.close());
  return listener;
};
const hears = (listener: EventListener, ids: string[]) =>
  eventually(() => expect(new Set(listener.ids)).toEqual(new Set(ids)), patience);
const says = ({ log }: Relay, event: string) =>
  eventually(() => expect(log.map((line) => line.event)).toContain(event), patience);
const times = (ids: readonly string[], id: string) => ids.filter((one) => one === id).length;
const heardIds = (listener: EventListener) => listener.heard.map(({ id }) => id);

/** The stream as it is now. */
async function streamed(): Promise<string[]> {
  const { state } = await manager.streams.info(EVENT_STREAM);
  const ids: string[] = [];
  for (let seq = state.first_seq; seq <= state.last_seq && seq > 0; seq++) {
    // Null for one that was purged.
    const message = await manager.streams.getMessage(EVENT_STREAM, { seq });
    ids.push(...(message?.json<{ id: string }[]>() ?? []).map(({ id }) => id));
  }
  return ids;
}

/** One batch for each. */
async function commitEach({ relay }: Relay, ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    await world.commit(id);
    relay.wake();
    await eventually(async () => expect(await streamed()).toContain(id), patience);
  }
}

/** Each order has three events, each in a transaction of its own behind the one before. */
async function commitOrders(from: number, to: number): Promise<string[]> {
  const ids: string[] = [];
  const orders = Array.from({ length: to - from }, (_, index) => `order-${from + index}`);
  await Promise.all(
    orders.map(async (order) => {
      for (const what of ['1', '2', '3']) {
        await world.commit(`${order}/${what}`);
        ids.push(`${order}/${what}`);
      }
    }),
  );
  return ids;
}

const expectOrder = (ids: readonly string[]) => {
  const last = new Map<string, string>();
  for (const id of ids) {
    const [order, what] = id.split('/') as [string, string];
    expect(what > (last.get(order) ?? '')).toBe(true);
    last.set(order, what);
  }
};

/** The process is stopped where it stands, before its n-th note of a batch reaches the database, until it is let go. */
function freezing(n: number) {
  let thaw!: () => void;
  const frozen = new Promise<void>((resolve) => (thaw = resolve));
  let notes = 0;
  let reached!: () => void;
  const stopped = new Promise<void>((resolve) => (reached = resolve));
  const prepare = (database: Database) => {
    const query = database.query.bind(database);
    database.query = async (statement, values) => {
      if (statement.name === 'outbox.insert-batch' && ++notes === n) {
        reached();
        await frozen;
      }
      return query(statement, values);
    };
  };
  return { prepare, stopped, thaw };
}

describe('a relay', () => {
  it('R41 publishes what is committed, each event once and those of an order in their order', async () => {
    const listener = await listen();
    const { relay } = await world.startRelay(broker.natsUrl);
    const ids = await commitOrders(0, 40);
    relay.wake();
    await hears(listener, ids);
    const all = await streamed();
    expectOrder(all);
    expect(all).toHaveLength(ids.length);
  });

  it('R41 finds what nobody told it of, and publishes soon what it was told of', async () => {
    const listener = await listen();
    const { relay } = await world.startRelay(broker.natsUrl);
    await world.commit('untold/1');
    await hears(listener, ['untold/1']);
    await world.commit('told/1');
    relay.wake();
    // Sooner than it would look by itself.
    await eventually(() => expect(listener.ids).toContain('told/1'), { timeoutMs: 1_500 });
  });

  it('R52 shares the work with another one: one publishes, in order, nothing twice', async () => {
    const relays = [await world.startRelay(broker.natsUrl), await world.startRelay(broker.natsUrl)];
    const listener = await listen();
    const ids: string[] = [];
    for (let round = 0; round < 5; round++) {
      ids.push(...(await commitOrders(round * 10, round * 10 + 10)));
      for (const { relay } of relays) relay.wake();
    }
    await hears(listener, ids);
    const all = await streamed();
    expectOrder(all);
    expect(all).toHaveLength(ids.length);
  });

  it('R41 publishes again what it was killed behind, and another takes over within seconds', async () => {
    const { prepare, stopped, thaw } = freezing(2);
    const listener = await listen();
    const first = await world.startRelay(broker.natsUrl, prepare);
    await world.commit('a/1');
    await hears(listener, ['a/1']);
    await world.commit('a/2');
    first.relay.wake();
    await stopped;
    const second = await world.startRelay(broker.natsUrl);
    await world.commit('a/3');
    await eventually(() => expect(listener.ids).toEqual(['a/1', 'a/2', 'a/3']), { timeoutMs: 15_000 });
    expect(times(await streamed(), 'a/2')).toBe(2);
    expect(second.log.map(({ event }) => event)).not.toContain('outbox.events.lost');
    // It was only paused: what it knew is of yesterday, and it writes nothing.
    thaw();
    await says(first, 'outbox.relay.failed');
    expect(await world.query('select sequence::int from outbox_batch order by sequence')).toEqual([
      { sequence: 1 },
      { sequence: 3 },
    ]);
  });

  it('R41 publishes behind a transaction that stays open as soon as that ends', async () => {
    const listener = await listen();
    const { relay } = await world.startRelay(broker.natsUrl);
    let end!: () => void;
    const ended = new Promise<void>((resolve) => (end = resolve));
    const open = world.database.transaction(async (tx) => {
      await tx.query({ name: 'test.xid', text: 'select pg_current_xact_id()' });
      await ended;
    });
    await world.commit('a/1');
    relay.wake();
    await eventually(async () =>
      expect(await world.query('select from outbox_relay where lease_token is not null')).toHaveLength(1),
    );
    expect(listener.ids).toEqual([]);
    end();
    await open;
    await hears(listener, ['a/1']);
  });
});

describe('a relay that keeps house', () => {
  it('R41 removes what the stream has dropped for its age, and nothing that was not published', async () => {
    const first = await world.startRelay(broker.natsUrl);
    await world.commit('old/1', 'old/2');
    await eventually(async () => expect(await streamed()).toEqual(['old/1', 'old/2']), patience);
    await eventually(async () => expect(await world.query('select from outbox_batch')).toHaveLength(1));
    await first.relay.stop();
    await world.query(`update outbox_batch set published_at = now() - interval '73 hours'`);
    await world.commit('new/1');
    await world.startRelay(broker.natsUrl);
    await eventually(async () => expect(await streamed()).toEqual(['old/1', 'old/2', 'new/1']), patience);
    await eventually(async () => {
      const left = await world.query(
        `select event ->> 'id' as id, (select count(*)::int from outbox_batch) from outbox`,
      );
      expect(left).toEqual([{ id: 'new/1', count: 1 }]);
    });
  });
});

describe('a relay and a broker that loses', () => {
  it('R41 publishes everything again when the stream is deleted under load', async () => {
    const listener = await listen();
    const started = await world.startRelay(broker.natsUrl);
    const ids = await commitOrders(0, 20);
    started.relay.wake();
    await hears(listener, ids);
    const committing = (async () => {
      for (let round = 2; round < 8; round++) {
        ids.push(...(await commitOrders(round * 10, round * 10 + 10)));
        started.relay.wake();
      }
    })();
    await manager.streams.delete(EVENT_STREAM);
    await committing;
    await eventually(async () => expect(new Set(await streamed())).toEqual(new Set(ids)), patience);
    expectOrder([...new Set(await streamed())]);
    await hears(listener, ids);
    await says(started, 'outbox.events.lost');
  });

  it('R41 notices a stream that was deleted while nothing happens', async () => {
    const started = await world.startRelay(broker.natsUrl);
    await world.commit('a/1', 'a/2');
    await eventually(async () => expect(await streamed()).toEqual(['a/1', 'a/2']));
    await manager.streams.delete(EVENT_STREAM);
    await eventually(async () => expect(await streamed()).toEqual(['a/1', 'a/2']), patience);
    expect(started.log).toContainEqual(expect.objectContaining({ event: 'outbox.events.lost', batches: 1 }));
  });

  it.each<[string, PurgeOpts | undefined]>([
    ['all of it', undefined],
    ['all but the last', { keep: 1 }],
    ['its beginning', { seq: 3 }],
    ['our subject', { filter: 'evt.test.>', keep: 0 }],
  ])('R41 publishes again what an operator has purged too early: %s', async (_, options) => {
    const listener = await listen();
    const started = await world.startRelay(broker.natsUrl);
    const ids = ['a/1', 'a/2', 'a/3'];
    await commitEach(started, ids);
    await hears(listener, ids);
    await manager.streams.purge(EVENT_STREAM, options);
    await eventually(() => expect(times(heardIds(listener), 'a/1')).toBe(2), patience);
    await commitEach(started, ['a/4']);
    await hears(listener, [...ids, 'a/4']);
    expect(new Set(await streamed())).toEqual(new Set([...ids, 'a/4']));
    // Once is enough: what it has published again is there.
    expect(started.log.filter(({ event }) => event === 'outbox.events.lost')).toHaveLength(1);
    expect(times(await streamed(), 'a/1')).toBe(1);
  });

  it('R41 publishes again what was purged under load', async () => {
    const listener = await listen();
    const { relay } = await world.startRelay(broker.natsUrl);
    const ids: string[] = [];
    for (let round = 0; round < 6; round++) {
      ids.push(...(await commitOrders(round * 10, round * 10 + 10)));
      relay.wake();
      if (round === 3) await manager.streams.purge(EVENT_STREAM);
    }
    await eventually(async () => expect(new Set(await streamed())).toEqual(new Set(ids)), patience);
    await hears(listener, ids);
  });

  it('R41 does not publish again what a full stream has dropped to make room, or has dropped for its age', async () => {
    let looks = 0;
    const started = await world.startRelay(broker.natsUrl, (database) => {
      const query = database.query.bind(database);
      database.query = (statement, values) => {
        if (statement.name === 'outbox.select-below') looks++;
        return query(statement, values);
      };
    });
    const looksAgain = async () => {
      const before = looks;
      await eventually(() => expect(looks).toBeGreaterThan(before + 1), patience);
    };
    await commitEach(started, ['a/1', 'a/2', 'a/3']);
    await manager.streams.update(EVENT_STREAM, { max_msgs: 2 });
    await looksAgain();
    expect(await streamed()).toEqual(['a/2', 'a/3']);
    await world.query(`update outbox_batch set published_at = now() - interval '72 hours'`);
    await manager.streams.update(EVENT_STREAM, { max_msgs: -1 });
    await manager.streams.purge(EVENT_STREAM);
    await looksAgain();
    expect(await streamed()).toEqual([]);
    expect(started.log).toEqual([]);
  });

  it('R41 publishes again when the broker comes back without its disk', async () => {
    const listener = await listen();
    const { relay } = await world.startRelay(broker.natsUrl);
    const ids = await commitOrders(0, 10);
    relay.wake();
    await hears(listener, ids);
    await broker.killNats();
    ids.push(...(await commitOrders(10, 20)));
    relay.wake();
    await broker.wipeNats();
    await broker.startNats();
    await eventually(async () => expect(new Set(await streamed())).toEqual(new Set(ids)), patience);
    await hears(listener, ids);
  });

  it('R41 publishes again what a crash of the broker took, and to consumers that know more than the stream', async () => {
    const listener = await listen();
    const started = await world.startRelay(broker.natsUrl);
    const publish = async (id: string) => {
      await world.commit(id);
      started.relay.wake();
      await eventually(() => expect(listener.ids).toContain(id), patience);
    };
    await publish('a/1');
    await publish('a/2');
    const messages = join(folder, 'nats/jetstream/$G/streams', EVENT_STREAM, 'msgs');
    await broker.killNats();
    await cp(messages, join(folder, 'then'), { recursive: true });
    await broker.startNats();
    await publish('a/3');
    await publish('a/4');
    await eventually(async () =>
      expect((await manager.consumers.info(EVENT_STREAM, 'listener-evt-test')).ack_floor.stream_seq).toBe(4),
    );
    await broker.killNats();
    // The messages are those of a moment ago; what the consumers remember is of now.
    await rm(messages, { recursive: true });
    await cp(join(folder, 'then'), messages, { recursive: true });
    await broker.startNats();
    await eventually(() => expect(times(heardIds(listener), 'a/4')).toBe(2), patience);
    expect(times(heardIds(listener), 'a/3')).toBe(2);
    await publish('a/5');
    expect(await streamed()).toEqual(['a/1', 'a/2', 'a/3', 'a/4', 'a/5']);
    expect(started.log).toContainEqual(
      expect.objectContaining({ event: 'outbox.events.lost', keptSequence: 2, hadSequence: 4, batches: 2 }),
    );
  });
});

describe('a relay and a database that came from elsewhere', () => {
  it('R41 publishes everything again, in order, when its transaction ids are from another server', async () => {
    const first = await world.startRelay(broker.natsUrl);
    await world.commit('a/1');
    await eventually(async () => expect(await streamed()).toEqual(['a/1']), patience);
    await first.relay.stop();
    await world.commit('a/2', 'a/3');
    // As behind a dump from a server that had counted further.
    await world.query(`update outbox set xid = (xid::text::bigint + 1000000)::text::xid8`);
    await world.query(`update outbox_relay set xid = (xid::text::bigint + 1000000)::text::xid8`);
    await world.commit('a/4');
    const second = await world.startRelay(broker.natsUrl);
    const all = ['a/1', 'a/2', 'a/3', 'a/4'];
    await eventually(async () => expect(await streamed()).toEqual(['a/1', ...all]), patience);
    await world.commit('a/5');
    second.relay.wake();
    await eventually(async () => expect(await streamed()).toEqual(['a/1', ...all, 'a/5']), patience);
    expect(second.log).toEqual([expect.objectContaining({ event: 'outbox.database.changed' })]);
  });
});

describe('a relay and a broker that is hard to reach', () => {
  let proxy: TcpProxy;
  let natsUrl: string;

  beforeEach(async () => {
    proxy = await startTcpProxy('127.0.0.1', Number(new URL(broker.natsUrl).port));
    natsUrl = `nats://127.0.0.1:${proxy.port}`;
    world.onClose(() => proxy.close());
  });

  it('R41 publishes again what was not acknowledged', async () => {
    const listener = await listen();
    const started = await world.startRelay(natsUrl);
    await world.commit('a/1');
    await hears(listener, ['a/1']);
    proxy.mute();
    await world.commit('a/2');
    started.relay.wake();
    await hears(listener, ['a/1', 'a/2']);
    await says(started, 'outbox.relay.failed');
    proxy.resume();
    await world.commit('a/3');
    await hears(listener, ['a/1', 'a/2', 'a/3']);
    const all = await streamed();
    expect(times(all, 'a/2')).toBeGreaterThan(1);
    expect(times(all, 'a/3')).toBe(1);
    expectOrder([...new Set(all)]);
  });

  it('R41 reads nothing while the broker is away, and catches up in batches', async () => {
    let reads = 0;
    const { relay } = await world.startRelay(natsUrl, (database) => {
      const query = database.query.bind(database);
      database.query = (statement, values) => {
        if (statement.name === 'outbox.select-behind') reads++;
        return query(statement, values);
      };
    });
    const listener = await listen();
    await world.commit('a/0');
    await hears(listener, ['a/0']);
    await proxy.cut();
    const ids = ['a/0'];
    for (let batch = 0; batch < 4; batch++) {
      const some = Array.from({ length: 300 }, (_, index) => `order-${batch}-${index}/1`);
      await world.commit(...some);
      relay.wake();
      ids.push(...some);
    }
    const before = reads;
    await proxy.restore();
    await hears(listener, ids);
    expect(await streamed()).toEqual(ids);
    expect(before).toBeLessThan(10);
    const { state } = await manager.streams.info(EVENT_STREAM);
    expect(state.messages).toBe(4);
  });
});
