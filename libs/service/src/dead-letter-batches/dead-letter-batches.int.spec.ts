/** Acts on many dead letters: each is acted on once, and handed over at least once, whatever is killed or away. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import {
  type BulkAct,
  bulkMigrations,
  BulkWorker,
  findBulkAct,
  freezeBulkAct,
  listBulkRows,
  stopBulkAct,
} from '@shop/bulk';
import { Broker, type Message, messagingMigrations, Publisher, replaySubjectOf } from '@shop/messaging';
import { createDatabase, type Database } from '@shop/postgres';
import { applyMigrations } from '@shop/postgres/testing';
import {
  eventually,
  type RunningProcess,
  startProcess,
  startTcpProxy,
  typescriptProcess,
  useStack,
} from '@shop/testing';
import pino from 'pino';
import { putLetterIn, putLettersIn } from '../../testing/letters';
import { actsOnLetters, openLetters } from './dead-letter-batches';

const stack = useStack({ migrate: (url) => applyMigrations(url, [...messagingMigrations, ...bulkMigrations]) });
const MANY = 3_000;
const TIMEOUT_MS = 120_000;

let database: Database;
let nats: NatsConnection;
let mailbox: string;
/** How often the message of each letter came to its mailbox. */
let came: Map<string, number>;
let closing: (() => Promise<unknown>)[];

beforeEach(async () => {
  [mailbox, came, closing] = [`cmd.b${randomUUID().slice(0, 8)}`, new Map(), []];
  database = createDatabase({ url: stack.databaseUrl, applicationName: 'test' });
  await database.connect();
  await run('truncate dead_letter, bulk_act cascade');
  nats = await connect({ servers: stack.natsUrl });
  nats.subscribe(replaySubjectOf(mailbox), {
    callback: (_, message) => {
      for (const { id } of message.json<Message[]>()) came.set(id, (came.get(id) ?? 0) + 1);
    },
  });
});
afterEach(async () => {
  for (const close of closing.reverse()) await close();
  await nats.close();
  await database.close();
});

const run = <Row>(text: string, values: unknown[] = []) =>
  database.query<Row>({ name: `test.${text.slice(0, 40)}`, text }, values);

/** A worker in this process. Returns what it logs. */
async function work(natsUrl = stack.natsUrl): Promise<{ event: string; deadLetterId?: string }[]> {
  const log: { event: string }[] = [];
  const logger = pino({ messageKey: 'event' }, { write: (line: string) => void log.push(JSON.parse(line)) });
  const broker = new Broker({ url: natsUrl, service: 'test', logger });
  await broker.connect();
  const kind = actsOnLetters({ database, publisher: new Publisher(broker, logger), logger });
  const worker = new BulkWorker({ database, kind, logger });
  closing.push(
    () => broker.close(),
    () => worker.stop(),
  );
  worker.start();
  return log;
}

async function workApart(env: Record<string, string> = {}): Promise<RunningProcess> {
  const urls = { DATABASE_URL: stack.databaseUrl, NATS_URL: stack.natsUrl };
  const replica = await startProcess({
    name: 'letters',
    ...typescriptProcess(join(__dirname, '../../testing/letters-main.ts')),
    env: { ...process.env, ...urls, ...env },
    readyPattern: /it works on batches/,
  });
  closing.push(() => replica.close());
  return replica;
}

async function freeze(expected: number, { act = 'replay', ratePerSecond = 10_000 } = {}): Promise<string> {
  const id = randomUUID();
  const filter = { state: 'open', mailbox };
  const asked = { id, tenant: 'acme', act, reason: 'mended', filter, madeBy: 'olga', ratePerSecond };
  expect(await database.transaction((tx) => freezeBulkAct(tx, openLetters, asked, expected, [false]))).toBe(expected);
  return id;
}

const place = (id: string) => ({ kind: 'dead_letter', tenant: 'acme', id });
const batchOf = async (id: string): Promise<BulkAct> => (await findBulkAct(database, place(id)))!;
const until = (id: string, expected: Partial<BulkAct>, timeoutMs = 30_000) =>
  eventually(async () => expect(await batchOf(id)).toMatchObject(expected), { timeoutMs });
const outcomesOf = async (id: string) =>
  (await listBulkRows(database, { id, after: 0, limit: 100 })).map(({ subjectId, outcome, code }) => [
    subjectId,
    code ?? outcome,
  ]);
/** How many letters have how many acts, and the state of them. */
const actsByLetter = () =>
  run<{ state: string; acts: number; letters: number }>(
    `select state, jsonb_array_length(acts) as acts, count(*)::int as letters from dead_letter group by 1, 2 order by 1, 2`,
  );

describe('R6 R46 a batch of acts on dead letters', () => {
  it('R6 R46 replays those that are as they were shown, and says of the others why not', async () => {
    const [first, second] = (await putLettersIn(database, { mailbox }, 2)) as [string, string];
    const cut = await putLetterIn(database, { mailbox, cut: true });
    const [again, acted, gone] = (await putLettersIn(database, { mailbox }, 3)) as [string, string, string];
    const id = await freeze(6);
    await run(`update dead_letter set deliveries = deliveries + 1, last_seen_at = now() where id = $1`, [again]);
    await run(`update dead_letter set state = 'discarded' where id = $1`, [acted]);
    await run(`delete from dead_letter where id = $1`, [gone]);
    const later = await putLetterIn(database, { mailbox });
    const log = await work();
    await until(id, { status: 'done', done: 2, failed: 4 });
    expect(await outcomesOf(id)).toEqual([
      [first, 'done'],
      [second, 'done'],
      [cut, 'dead_letter_cut'],
      [again, 'dead_letter_changed'],
      [acted, 'dead_letter_changed'],
      [gone, 'dead_letter_not_found'],
    ]);
    await eventually(() => expect([...came.keys()].sort()).toEqual([first, second].sort()));
    const [letter] = await run<{ state: string; acts: object[] }>(`select state, acts from dead_letter where id = $1`, [
      first,
    ]);
    expect(letter).toEqual({
      state: 'replayed',
      acts: [{ act: 'replayed', by: 'acme/olga', reason: 'mended', at: expect.any(String) as string }],
    });
    const [open] = await run<{ state: string }>(`select state from dead_letter where id = $1`, [later]);
    expect(open).toEqual({ state: 'open' });
    const told = log.filter(({ event }) => event === 'messaging.dead_letter.replayed');
    expect(told.map(({ deadLetterId }) => deadLetterId)).toEqual([first, second]);
  });

  it('R6 R46 discards also what was cut, and hands over nothing', async () => {
    await putLettersIn(database, { mailbox }, 3);
    await putLetterIn(database, { mailbox, cut: true });
    const id = await freeze(4, { act: 'discard' });
    await work();
    await until(id, { status: 'done', done: 4, failed: 0 });
    expect(await actsByLetter()).toEqual([{ state: 'discarded', acts: 1, letters: 4 }]);
    expect(came.size).toBe(0);
  });

  it('R6 R46 waits while the broker is away, and loses nothing', async () => {
    const { hostname, port } = new URL(stack.natsUrl);
    const proxy = await startTcpProxy(hostname, Number(port));
    closing.push(() => proxy.close());
    const ids = await putLettersIn(database, { mailbox }, 6);
    const log = await work(`nats://127.0.0.1:${proxy.port}`);
    await proxy.cut();
    const id = await freeze(6, { ratePerSecond: 8 });
    await eventually(
      () => expect(log.filter(({ event }) => event === 'bulk.act.step.failed').length).toBeGreaterThan(1),
      {
        timeoutMs: 20_000,
      },
    );
    expect(await outcomesOf(id)).toEqual(ids.map((letter) => [letter, 'waiting']));
    expect(came.size).toBe(0);
    await proxy.restore();
    await until(id, { status: 'done', done: 6, failed: 0 });
    await eventually(() => expect([...came.keys()].sort()).toEqual(ids.sort()));
    expect(await actsByLetter()).toEqual([{ state: 'replayed', acts: 1, letters: 6 }]);
  });

  it('R6 R46 acts on nothing more when it was stopped, and hands over what was replayed by then', async () => {
    await putLettersIn(database, { mailbox }, 30);
    const id = await freeze(30, { ratePerSecond: 8 });
    await work();
    await until(id, {});
    await eventually(async () => expect((await batchOf(id)).done).toBeGreaterThan(0));
    await stopBulkAct(database, place(id), 'otto');
    const [acted] = (await actsByLetter()).filter(({ state }) => state === 'replayed');
    expect(acted!.letters).toBeLessThan(30);
    await until(id, { status: 'stopped', done: acted!.letters });
    await eventually(() => expect(came.size).toBe(acted!.letters));
    expect((await actsByLetter()).filter(({ state }) => state === 'replayed')).toEqual([acted]);
  });

  it('R6 R46 hands over what a process has committed before it was killed', async () => {
    const ids = await putLettersIn(database, { mailbox }, 3);
    const id = await freeze(3, { ratePerSecond: 40 });
    const mortal = await workApart({ DIES_OWING: '1' });
    await mortal.exited;
    expect(await actsByLetter()).toEqual([{ state: 'replayed', acts: 1, letters: 3 }]);
    expect(await outcomesOf(id)).toEqual(ids.map((letter) => [letter, 'waiting']));
    await work();
    await until(id, { status: 'done', done: 3, failed: 0 });
    await eventually(() => expect([...came.keys()].sort()).toEqual(ids.sort()));
    expect(await actsByLetter()).toEqual([{ state: 'replayed', acts: 1, letters: 3 }]);
  });

  it(
    `R6 R17 R46 of ${MANY} letters replays each of them once, and loses none, though its processes are killed`,
    async () => {
      const ids = await putLettersIn(database, { mailbox }, MANY);
      const id = await freeze(MANY);
      const replicas = await Promise.all([workApart(), workApart()]);
      for (const share of [0.1, 0.4, 0.7]) {
        const options = { timeoutMs: 60_000, intervalMs: 5 };
        await eventually(async () => expect((await batchOf(id)).done).toBeGreaterThan(MANY * share), options);
        for (const replica of replicas) replica.kill('SIGKILL');
        expect(await batchOf(id)).toMatchObject({ status: 'running' });
        await Promise.all(replicas.map((replica) => replica.restart('SIGKILL')));
      }
      await until(id, { status: 'done', done: MANY, failed: 0 }, 60_000);
      expect(await actsByLetter()).toEqual([{ state: 'replayed', acts: 1, letters: MANY }]);
      await eventually(() => expect(ids.filter((letter) => !came.has(letter))).toEqual([]));
    },
    TIMEOUT_MS,
  );
});
