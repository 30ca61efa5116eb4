/** What holds for bulk acts of every kind, where an act is also handed over outside: tried with things that are only counted. */
import { randomUUID } from 'node:crypto';
import { createDatabase, type Database } from '@shop/postgres';
import { applyMigrations } from '@shop/postgres/testing';
import { RetryableError } from '@shop/resilience';
import { eventually, useStack } from '@shop/testing';
import pino from 'pino';
import type { BulkAct } from './bulk-act';
import type { BulkKind } from './bulk-kind';
import { bulkSet, findBulkAct, freezeBulkAct, listBulkRows, stopBulkAct } from './bulk-acts.repository';
import { eraseMentions } from './erase-bulk-acts';
import { BulkWorker } from './bulk-worker';
import { bulkMigrations } from './migrations';

const stack = useStack({ migrate: (url) => applyMigrations(url, bulkMigrations) });
const set = bulkSet(
  'thing',
  `select ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid as id, 1 as version, now() as since
   from generate_series(1, ($5::jsonb ->> 'many')::int) as n where $2 = 'acme'`,
);
const thing = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;

let database: Database;
let worker: BulkWorker;
let log: { event: string; reason?: string; thingId?: string }[];
/** The things in the order in which they were acted on, and handed over. */
let acted: string[];
let handed: string[];

beforeEach(async () => {
  database = createDatabase({ url: stack.databaseUrl, applicationName: 'test' });
  await database.connect();
  await database.query({ name: 'test.clear', text: 'truncate bulk_act cascade' });
  [log, acted, handed] = [[], [], []];
});
afterEach(async () => {
  await worker.stop();
  await database.close();
});

function work(handOver: (id: string) => Promise<void>): void {
  const logger = pino({ messageKey: 'event' }, { write: (line: string) => void log.push(JSON.parse(line)) });
  const kind: BulkKind = {
    name: 'thing',
    idField: 'thingId',
    act: async (tx, _, things) => {
      tx.afterCommit(() => acted.push(...things.map(({ subjectId }) => subjectId)));
      return things.map(({ subjectId }) => (subjectId === thing(3) ? 'odd' : undefined));
    },
    handOver: {
      send: async (id) => {
        await handOver(id);
        handed.push(id);
      },
    },
  };
  worker = new BulkWorker({ database, kind, logger });
  worker.start();
}

async function freeze(many: number, { act = 'send', ratePerSecond = 8, reason = 'because' } = {}): Promise<string> {
  const id = randomUUID();
  const asked = { id, tenant: 'acme', act, reason, filter: { many, error: 'of kim' }, madeBy: 'olga', ratePerSecond };
  expect(await database.transaction((tx) => freezeBulkAct(tx, set, asked, many))).toBe(many);
  return id;
}

const place = (id: string) => ({ kind: 'thing', tenant: 'acme', id });
const actOf = async (id: string): Promise<BulkAct> => (await findBulkAct(database, place(id)))!;
const until = (id: string, expected: Partial<BulkAct>) =>
  eventually(async () => expect(await actOf(id)).toMatchObject(expected), { timeoutMs: 20_000 });
const outcomes = async (id: string) =>
  (await listBulkRows(database, { id, after: 0, limit: 100 })).map(({ outcome, code }) => code ?? outcome);

describe('R6 a bulk act that is handed over outside', () => {
  it('R6 is done with a row when the other side has it; what was refused is not handed over', async () => {
    const id = await freeze(5);
    work(async () => undefined);
    await until(id, { status: 'done', done: 4, failed: 1 });
    expect(await outcomes(id)).toEqual(['done', 'done', 'odd', 'done', 'done']);
    expect(acted).toEqual([1, 2, 3, 4, 5].map(thing));
    expect(handed.toSorted()).toEqual([1, 2, 4, 5].map(thing));
  });

  it('R6 waits while the other side is away, acts on nothing further, and goes on when it is back', async () => {
    const id = await freeze(5);
    let isAway = true;
    work(async () => {
      if (isAway) throw new RetryableError('away');
    });
    await eventually(() => expect(log.filter(({ event }) => event === 'bulk.act.step.failed')).toHaveLength(2), {
      timeoutMs: 10_000,
    });
    expect(await outcomes(id)).toEqual(Array(5).fill('waiting'));
    expect(acted).toEqual([1, 2].map(thing));
    isAway = false;
    await until(id, { status: 'done', done: 4, failed: 1 });
    expect(acted).toEqual([1, 2, 3, 4, 5].map(thing));
    expect(handed.toSorted()).toEqual([1, 2, 4, 5].map(thing));
  });

  it('R6 waits no longer than a while for an answer, and not for one row with all of them', async () => {
    const id = await freeze(2);
    let hangs = true;
    work((thingId) => (hangs && thingId === thing(1) ? new Promise<never>(() => undefined) : Promise.resolve()));
    await until(id, { status: 'running', done: 1 });
    expect(await outcomes(id)).toEqual(['waiting', 'done']);
    hangs = false;
    await until(id, { status: 'done', done: 2 });
    expect(log.find(({ event }) => event === 'bulk.act.step.failed')?.reason).toMatch(/took longer than 2000 ms/);
  });

  it('R6 gives up what the other side will never take, and goes on with the others', async () => {
    const id = await freeze(2);
    work(async (thingId) => {
      if (thingId === thing(1)) throw new Error('too large');
    });
    await until(id, { status: 'done', done: 1, failed: 1 });
    expect(await outcomes(id)).toEqual(['internal_error', 'done']);
    expect(log).toContainEqual(
      expect.objectContaining({ event: 'bulk.act.row.failed', thingId: thing(1), reason: 'too large' }),
    );
  });

  it('R6 that is stopped acts on nothing further, and hands over what it has acted on', async () => {
    const id = await freeze(10);
    let isAway = true;
    work(async () => {
      if (isAway) throw new RetryableError('away');
    });
    await eventually(() => expect(acted).toHaveLength(2));
    await stopBulkAct(database, place(id), 'otto');
    const stopped = await actOf(id);
    expect(stopped).toMatchObject({ status: 'stopped', stoppedBy: 'otto', done: 0 });
    isAway = false;
    await until(id, { status: 'stopped', done: 2, endedAt: stopped.endedAt });
    await eventually(() => expect(log.at(-1)!.event).toMatch(/^bulk\.act\.(done|lease\.lost)$/));
    expect([acted, handed.toSorted()]).toEqual([[1, 2].map(thing), [1, 2].map(thing)]);
    expect(await outcomes(id)).toEqual(['done', 'done', ...Array<string>(8).fill('waiting')]);
  });

  it('R6 that is stopped with nothing to hand over is left alone, and an act that needs no hand-over has none', async () => {
    const id = await freeze(4, { act: 'drop', ratePerSecond: 4 });
    work(async () => undefined);
    await until(id, { done: 1 });
    await stopBulkAct(database, place(id), 'otto');
    const { done } = await actOf(id);
    await eventually(() => expect(log.at(-1)!.event).toBe('bulk.act.lease.lost'));
    await worker.look();
    expect(await actOf(id)).toMatchObject({ status: 'stopped', done });
    expect(handed).toEqual([]);
  });

  it('R26 forgets whom its reason or its filter names', async () => {
    const id = await freeze(1, { act: 'none', reason: 'kim has called' });
    work(async () => undefined);
    const erase = (tenant: string) => eraseMentions(database, { tenant, customerId: 'kim' }, 'erased');
    expect([await erase('rival'), await erase('acme'), await erase('acme')]).toEqual([0, 1, 0]);
    expect(await actOf(id)).toMatchObject({ reason: 'erased', filter: { many: 1, error: 'erased' } });
  });
});
