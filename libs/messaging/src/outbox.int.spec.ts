import { randomUUID } from 'node:crypto';
import { eventually, useStack } from '@shop/testing';
import { Client } from 'pg';
import { eventOf, OutboxWorld } from '../testing/outbox-world';
import type { Message } from './message';
import {
  appendEvents,
  claimRelay,
  findExpired,
  type OutboxRow,
  type Place,
  readOutbox,
  recordBatch,
  releaseRelay,
  removeBatches,
  removeEvents,
  rewind,
} from './outbox';

useStack();

const HOUR_MS = 60 * 60_000;
const start: Place = { xid: '0', position: 0 };
const idOf = ({ event }: OutboxRow) => event && (JSON.parse(event) as Message).id;

let world: OutboxWorld;
beforeEach(async () => {
  world = await OutboxWorld.open();
});
afterEach(() => world.close());

const look = async (after: Place, limit = 100) => (await readOutbox(world.database, after, limit)).map(idOf);
/** Everything that is open in the cluster counts, other tests too. */
const read = (after: Place = start, limit?: number) =>
  eventually(async () => {
    const ids = await look(after, limit);
    expect(ids).not.toContain(null);
    return ids;
  });
const claim = (token: string, { leaseMs = 60_000, anyway = true } = {}) =>
  claimRelay(world.database, { token, leaseMs, anyway }).then((claimed) => claimed?.progress);

/** Another transaction, open until it is told what to do. */
async function openTransaction(): Promise<Client> {
  const client = new Client({ connectionString: world.url });
  await client.connect();
  world.onClose(() => client.end());
  await client.query('begin');
  return client;
}
const insert = (client: Client, id: string) =>
  client.query('insert into outbox (event) values ($1)', [JSON.stringify(eventOf(id))]);

describe('the outbox', () => {
  it('R41 keeps the events of a transaction in their order, byte for byte behind their time', async () => {
    await world.commit('a/1', 'b/1', 'a/2');
    await world.commit('a/3');
    expect(await read()).toEqual(['a/1', 'b/1', 'a/2', 'a/3']);
    const rows = await readOutbox(world.database, start, 1);
    const [, written, rest] = /^\{("time":"[^"]+"),(.*)$/.exec(rows[0]!.event!)!;
    expect(written).toMatch(/^"time":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"$/);
    expect(`{${rest}`).toBe(JSON.stringify(eventOf('a/1')));
  });

  it('R41 keeps nothing of a transaction that is rolled back', async () => {
    const failing = world.database.transaction(async (tx) => {
      appendEvents(tx, [eventOf('a/1')]);
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    await world.commit('b/1');
    expect(await read()).toEqual(['b/1']);
  });

  it('R41 holds back what stands behind an open transaction, so one that commits late is not passed by', async () => {
    const slow = await openTransaction();
    await insert(slow, 'slow/1');
    await world.commit('fast/1');
    // It is there, and its place is not sure yet.
    expect(await look(start)).toEqual([null]);
    await slow.query('commit');
    expect(await read()).toEqual(['slow/1', 'fast/1']);
  });

  it('R41 orders by transaction, whoever took a number first', async () => {
    const early = await openTransaction();
    await early.query('select pg_current_xact_id()');
    await world.commit('b/1');
    await insert(early, 'a/1');
    await early.query('commit');
    expect(await read()).toEqual(['a/1', 'b/1']);
  });

  it('reads on behind a place, as much as is asked for', async () => {
    await world.commit('a/1', 'a/2');
    await world.commit('a/3');
    const [first, second] = await readOutbox(world.database, start, 2);
    expect(await read(first)).toEqual(['a/2', 'a/3']);
    expect(await read(second, 1)).toEqual(['a/3']);
  });

  it('fails the transaction of an event that is too large to be published', async () => {
    const large = { ...eventOf('a/1'), data: { text: 'x'.repeat(70_000) } };
    const failing = world.database.transaction(async (tx) => appendEvents(tx, [large]));
    await expect(failing).rejects.toThrow('outbox_event_check');
  });
});

describe('the right to publish', () => {
  const [mine, yours] = [randomUUID(), randomUUID()];

  it('R52 belongs to one at a time, until its lease ends or is given back', async () => {
    expect(await claim(mine)).toEqual({ ...start, sequence: 0, streamCreated: null });
    expect(await claim(yours)).toBeUndefined();
    expect(await claim(mine)).toBeDefined();
    await releaseRelay(world.database, yours);
    expect(await claim(yours)).toBeUndefined();
    await releaseRelay(world.database, mine);
    expect(await claim(yours, { leaseMs: 0 })).toBeDefined();
    expect(await claim(mine)).toBeDefined();
  });

  it('is not taken for nothing', async () => {
    expect(await claim(mine, { anyway: false })).toBeUndefined();
    await world.commit('a/1');
    expect(await claim(mine, { anyway: false })).toBeDefined();
  });

  it('R41 notes place and sequence together, and nothing of an owner that was overtaken', async () => {
    await world.commit('a/1');
    await claim(mine, { leaseMs: 0 });
    await claim(yours);
    const [upto] = await readOutbox(world.database, start, 1);
    const batch = { leaseMs: 60_000, after: start, upto: upto!, sequence: 7 };
    expect(await recordBatch(world.database, { ...batch, token: mine })).toBe(false);
    expect(await world.query('select from outbox_batch')).toHaveLength(0);
    const back = { keptSequence: 0, streamCreated: 'now', withinMs: HOUR_MS };
    expect(await recordBatch(world.database, { ...batch, token: yours })).toBe(true);
    expect(await rewind(world.database, { ...back, token: mine })).toBeUndefined();
    const { xid, position } = upto!;
    expect(await claim(yours)).toEqual({ xid, position, sequence: 7, streamCreated: null });
  });
});

describe('what was published', () => {
  const token = randomUUID();
  const publish = async (id: string, sequence: number) => {
    await world.commit(id);
    const { xid, position } = (await claim(token))!;
    const after = { xid, position };
    const [upto] = await readOutbox(world.database, after, 1);
    await recordBatch(world.database, { token, leaseMs: 60_000, after, upto: upto!, sequence });
  };
  const back = (keptSequence: number, streamCreated = 'now') =>
    rewind(world.database, { token, keptSequence, streamCreated, withinMs: HOUR_MS });
  const age = (upto: number, hours: number) =>
    world.query(`update outbox_batch set published_at = now() - interval '${hours} hours' where sequence <= ${upto}`);

  beforeEach(async () => {
    for (const sequence of [1, 2, 3, 4]) await publish(`a/${sequence}`, sequence);
  });

  it('R41 goes back to the first batch that was lost', async () => {
    const { progress, batches } = (await back(2))!;
    expect({ batches, sequence: progress.sequence }).toEqual({ batches: 2, sequence: 2 });
    expect(await read(progress)).toEqual(['a/3', 'a/4']);
    expect(await claim(token)).toEqual({ ...progress, streamCreated: 'now' });
  });

  it('R41 does not go back for what the stream would have dropped by now', async () => {
    await age(3, 2);
    const { progress } = (await back(0))!;
    expect(await read(progress)).toEqual(['a/4']);
    await age(4, 2);
    expect(await read((await back(0))!.progress)).toEqual(['a/4']);
  });

  it('is removed when it is old, events first, in bounded stretches', async () => {
    expect(await findExpired(world.database, HOUR_MS)).toBeUndefined();
    await age(3, 2);
    const expired = (await findExpired(world.database, HOUR_MS))!;
    expect(expired.sequence).toBe(3);
    expect(await removeEvents(world.database, expired, 2)).toBe(2);
    expect(await removeEvents(world.database, expired, 2)).toBe(1);
    await removeBatches(world.database, expired.sequence);
    expect(await read()).toEqual(['a/4']);
    expect(await world.query('select sequence::int from outbox_batch')).toEqual([{ sequence: 4 }]);
  });
});
