/** Acts on many parked sagas: the set is frozen, each is acted on once, and what cannot be done holds up nobody. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import {
  type BulkAct,
  BulkWorker,
  countRunning,
  eraseBulkActs,
  findBulkAct,
  freezeBulkAct,
  listBulkActs,
  listBulkRows,
  type NewBulkAct,
  stopBulkAct,
} from '@shop/bulk';
import { eventually, startProcess, typescriptProcess } from '@shop/testing';
import { type Journey, journeyV1, refused, replyTo } from '../testing/journey';
import { openReplica, type Replica } from '../testing/replica';
import { actOn, beginOn, sentFor, useSagaStack } from '../testing/sagas';
import { eraseSagas } from './erase-sagas';
import { actsOnSagas, type ActsOnSagasOptions, type BatchFilter, parkedSagas } from './saga-batches';

const stack = useSagaStack();
const MANY = 15_000;
const TIMEOUT_MS = 240_000;

let one: Replica;
let workers: BulkWorker[];
beforeEach(async () => {
  workers = [];
  one = await openReplica(stack.databaseUrl);
  await run('clear', 'truncate saga, saga_history, bulk_act cascade');
});
afterEach(async () => {
  await Promise.all(workers.map((worker) => worker.stop()));
  await one.database.close();
});

const run = <Row>(name: string, text: string, values: unknown[] = []) =>
  one.database.query<Row>({ name: `test.${name}`, text }, values);

function work(options: Partial<ActsOnSagasOptions> = {}): BulkWorker {
  const worker = new BulkWorker({ ...one, kind: actsOnSagas({ ...one, ...options }) });
  workers.push(worker);
  worker.start();
  return worker;
}

async function park(tenant = 'acme', reason = 'too_late'): Promise<string> {
  const id = await beginOn(one, journeyV1, { traveller: 'Ada', tenant } as Journey);
  await one.engine.dispatch(id, { type: 'cancel-requested', reason: 'rain' });
  await one.engine.receive(replyTo(id, 'flight.undo', refused(reason)));
  return id;
}

async function freeze(expected: number, filter: BatchFilter = { step: 'flight' }, batch: Partial<NewBulkAct> = {}) {
  const id = randomUUID();
  const made = { id, tenant: 'acme', act: 'retry', filter, madeBy: 'olga', ratePerSecond: 10_000, ...batch } as const;
  return { id, found: await one.database.transaction((tx) => freezeBulkAct(tx, parkedSagas, made, expected)) };
}

const acme = { kind: 'saga', tenant: 'acme' };
const find = (id: string): Promise<BulkAct | undefined> => findBulkAct(one.database, { ...acme, id });
const batchOf = async (id: string): Promise<BulkAct> => (await find(id))!;
const done = (id: string, timeoutMs = 20_000) =>
  eventually(async () => expect(await batchOf(id)).toMatchObject({ status: 'done' }), { timeoutMs });
const rowsOf = async (id: string) =>
  (await listBulkRows(one.database, { id, after: 0, limit: 100 })).map(({ subjectId, outcome, code }) => [
    subjectId,
    outcome,
    code,
  ]);

describe('R6 a batch of acts', () => {
  it('R6 R54 is frozen with what was shown: the parked sagas of the tenant that fit the filter', async () => {
    const ids = [await park(), await park(), await park('acme', 'closed')];
    await park('rival');
    await beginOn(one, journeyV1, { traveller: 'Ada', tenant: 'acme' } as Journey);
    expect((await freeze(2, { reason: 'too_late', step: 'flight', action: 'undo' })).found).toBe(2);
    expect((await freeze(3, { definition: 'journey' })).found).toBe(3);
    const changed = await freeze(2, { definition: 'journey' });
    expect(changed.found).toBe(3);
    expect(await find(changed.id)).toBeUndefined();
    expect((await freeze(1, { action: 'do' })).found).toBe(0);
    expect((await freeze(1, { olderThanSeconds: 3_600 })).found).toBe(0);
    const batches = await listBulkActs(one.database, { ...acme, limit: 10 });
    expect(batches.map(({ count, status }) => [count, status])).toEqual([
      [3, 'running'],
      [2, 'running'],
    ]);
    expect(await listBulkActs(one.database, { ...acme, before: batches[0]!.id, limit: 10 })).toEqual([batches[1]]);
    expect(await rowsOf(batches[1]!.id)).toEqual(ids.slice(0, 2).map((id) => [id, 'waiting', null]));
    expect(await one.database.transaction((tx) => countRunning(tx, 'saga', 'acme'))).toBe(2);
    expect(await listBulkActs(one.database, { kind: 'saga', tenant: 'rival', limit: 10 })).toEqual([]);
  });

  it('R6 acts once on each saga as it was shown, in the name of who asked, and says what became of each', async () => {
    const [retried, moved, gone, other] = [await park(), await park(), await park(), await park()];
    const { id } = await freeze(4, { step: 'flight' }, { reason: 'the airline is back' });
    await actOn(one, moved, { type: 'operator', act: 'retry', by: 'otto' });
    await run('gone', 'delete from saga where id = $1', [gone]);
    const later = await park();
    work({ refusedFor: (_, saga) => (saga.id === other ? 'never-turns-back' : undefined) });
    await done(id);
    expect(await batchOf(id)).toMatchObject({ count: 4, done: 1, failed: 3, endedAt: expect.any(Date) as Date });
    expect(await rowsOf(id)).toEqual([
      [retried, 'done', null],
      [moved, 'failed', 'repeated-or-late'],
      [gone, 'failed', 'unknown-saga'],
      [other, 'failed', 'never-turns-back'],
    ]);
    const failed = await listBulkRows(one.database, { id, outcome: 'failed', after: 2, limit: 1 });
    expect(failed).toMatchObject([{ position: 3 }]);
    expect(await listBulkRows(one.database, { id, outcome: 'waiting', after: 0, limit: 9 })).toEqual([]);
    const acts = await run<{ saga_id: string; detail: object }>(
      'acts',
      `select saga_id, detail from saga_history where event like 'operator.%' and detail ->> 'by' = 'olga'`,
    );
    expect(acts).toEqual([{ saga_id: retried, detail: { by: 'olga', reason: 'the airline is back' } }]);
    expect(sentFor(retried, one)).toEqual(['flight/do', 'flight/undo', 'flight/undo']);
    expect(sentFor(later, one)).toEqual(['flight/do', 'flight/undo']);
  });

  it('R6 goes on behind a saga with which something is wrong', async () => {
    const ids = [];
    for (let n = 0; n < 5; n++) ids.push(await park());
    const { id } = await freeze(5);
    const broken = ids[2];
    work({
      refusedFor: (_, saga) => {
        if (saga.id === broken) throw new Error('out of luck');
        return undefined;
      },
    });
    await done(id);
    expect(await rowsOf(id)).toEqual(
      ids.map((sagaId) => (sagaId === broken ? [sagaId, 'failed', 'internal_error'] : [sagaId, 'done', null])),
    );
    expect(one.log.filter(({ event }) => event === 'bulk.act.row.failed')).toMatchObject([{ sagaId: broken }]);
  });

  it('R6 does nothing more when it was stopped', async () => {
    for (let n = 0; n < 20; n++) await park();
    const { id } = await freeze(20, { step: 'flight' }, { ratePerSecond: 4 });
    work();
    await eventually(async () => expect((await batchOf(id)).done).toBeGreaterThan(0));
    await stopBulkAct(one.database, { ...acme, id }, 'otto');
    const stopped = await batchOf(id);
    expect(stopped).toMatchObject({ status: 'stopped', stoppedBy: 'otto', failed: 0 });
    expect(stopped.done).toBeLessThan(20);
    await eventually(() => expect(one.log.map(({ event }) => event)).toContain('bulk.act.lease.lost'));
    await stopBulkAct(one.database, { ...acme, id }, 'olga');
    expect(await batchOf(id)).toEqual(stopped);
    const [acted] = await run<{ count: number }>(
      'acted',
      `select count(*)::int as count from saga_history where event = 'operator.retry'`,
    );
    expect(acted!.count).toBe(stopped.done);
  });

  it('R26 forgets why it was made with a saga in it, and who made it with the tenant', async () => {
    const saga = await park();
    const { id } = await freeze(1, { step: 'flight' }, { reason: 'Ada has called' });
    await one.database.transaction((tx) => eraseSagas(tx, [saga], { definitions: [journeyV1], names: false }));
    expect(await batchOf(id)).toMatchObject({ reason: 'erased', madeBy: 'olga' });
    expect([await eraseBulkActs(one.database, 'rival'), await eraseBulkActs(one.database, 'acme')]).toEqual([0, 1]);
    expect(await rowsOf(id)).toEqual([]);
  });

  it(
    `R6 R17 of ${MANY} sagas acts on each of them once, though its processes are killed`,
    async () => {
      await stack.administer(
        `with s as (
           insert into saga (id, definition, definition_version, status, step, action, attempt, parked_reason, data, traceparent, version)
           select gen_random_uuid(), 'journey', 1, 'parked', 'flight', 'undo', 20, 'undo_unanswered',
                  jsonb_build_object('tenant', 'acme', 'traveller', 'Ada'), '', 3
           from generate_series(1, ${MANY}) returning id)
         insert into saga_history (saga_id, seq, event, step, from_position, to_position, attempt)
         select id, 3, 'budget.spent', 'flight', 'flight.undo', 'parked', 20 from s`,
      );
      const { id } = await freeze(MANY, { reason: 'undo_unanswered' });
      const replicas = await Promise.all(
        ['first', 'second'].map((name) =>
          startProcess({
            name,
            ...typescriptProcess(join(__dirname, '../testing/batch-main.ts')),
            env: { ...process.env, DATABASE_URL: stack.databaseUrl },
            readyPattern: /it works on batches/,
          }),
        ),
      );
      try {
        for (const share of [0.1, 0.3]) {
          const options = { timeoutMs: 60_000, intervalMs: 5 };
          await eventually(async () => expect((await batchOf(id)).done).toBeGreaterThan(MANY * share), options);
          for (const replica of replicas) replica.kill('SIGKILL');
          expect(await batchOf(id)).toMatchObject({ status: 'running' });
          await Promise.all(replicas.map((replica) => replica.restart('SIGKILL')));
        }
        await done(id, 120_000);
      } finally {
        await Promise.all(replicas.map((replica) => replica.close()));
      }
      expect(await batchOf(id)).toMatchObject({ count: MANY, done: MANY, failed: 0 });
      const counts = await run<{ acts: number; sagas: number }>(
        'acts-by-saga',
        `select acts::int, count(*)::int as sagas from (
           select count(*) as acts from saga_history where event = 'operator.retry' group by saga_id) as h group by 1`,
      );
      expect(counts).toEqual([{ acts: 1, sagas: MANY }]);
    },
    TIMEOUT_MS,
  );
});
