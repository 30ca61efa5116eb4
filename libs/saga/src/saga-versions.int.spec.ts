import { type Logger, newTraceparent } from '@shop/observability';
import { eventually, seededRandom } from '@shop/testing';
import pino from 'pino';
import { register } from 'prom-client';
import { journeyV1, journeyV2, refused, replyTo } from '../testing/journey';
import { openReplica, type Replica } from '../testing/replica';
import { beginOn, expireOn, useSagaStack } from '../testing/sagas';
import { SagaCensus } from './saga-census';
import { findSaga, type SagaView } from './saga.view';

const stack = useSagaStack();

/** This replica knows only the first version. */
let older: Replica;
/** This replica knows both versions. */
let newer: Replica;

beforeEach(async () => {
  older = await openReplica(stack.databaseUrl);
  newer = await openReplica(stack.databaseUrl, { definitions: [journeyV1, journeyV2] });
  await older.database.query({ name: 'test.clear', text: 'truncate saga, saga_history' });
});
afterEach(async () => {
  await Promise.all([older, newer].map(({ deadlines }) => deadlines.stop()));
  await Promise.all([older, newer].map(({ database }) => database.close()));
});

const sagaOf = async (id: string): Promise<SagaView> => (await findSaga(older.database, id))!;
const pathOf = async (id: string) => (await sagaOf(id)).history.map(({ to }) => to);
const expire = (...ids: string[]) => expireOn(older, ...ids);

describe('R8 a definition that a replica does not know', () => {
  it('R8 is left alone by it, and driven by one that knows it', async () => {
    const id = await beginOn(newer, journeyV2);
    const before = await sagaOf(id);
    await older.engine.receive(replyTo(id, 'hotel.do'));
    await older.engine.dispatch(id, { type: 'cancel-requested', reason: 'rain' });
    expect(await sagaOf(id)).toEqual(before);
    expect(older.log.at(-1)).toMatchObject({ event: 'saga.event.ignored', reason: 'unknown-version' });
    await newer.engine.receive(replyTo(id, 'hotel.do'));
    expect(await sagaOf(id)).toMatchObject({ version: 2, step: 'flight' });
  });

  it('R8 is left alone by an operator there, too', async () => {
    const id = await beginOn(newer, journeyV2);
    const act = { type: 'operator', act: 'cancel', by: 'olga' } as const;
    const decided = await older.database.transaction((tx) => older.engine.decideIn(tx, id, act));
    expect(decided).toBe('unknown-version');
    expect(await pathOf(id)).toEqual(['hotel.do']);
  });

  it('R8 does not keep it from the deadlines of the sagas that it knows, however many there are', async () => {
    const many = {
      name: 'test.many',
      text: `insert into saga (id, definition, definition_version, status, step, action, attempt, deadline_at, data, traceparent, version)
             select gen_random_uuid(), 'journey', 2, 'running', 'hotel', 'do', 1, now() - interval '1 hour', '{}', $1, 1
             from generate_series(1, 600)`,
    };
    await older.database.query(many, [newTraceparent()]);
    const id = await beginOn(older, journeyV1);
    await expire(id);
    older.deadlines.start();
    await eventually(() => expect(older.sent).toHaveLength(2), { timeoutMs: 3_000 });
  });

  it('R8 R50 is counted by it as long as sagas of it are open, parked ones too', async () => {
    const [moving, parked, ended, known] = [
      await beginOn(newer, journeyV2),
      await beginOn(newer, journeyV2),
      await beginOn(newer, journeyV2),
      await beginOn(newer, journeyV1),
    ];
    await newer.engine.receive(replyTo(ended, 'hotel.do', refused('hotel_full')));
    for (const [id, step] of [
      [parked, 'hotel'],
      [known, 'flight'],
    ] as const) {
      await newer.engine.dispatch(id, { type: 'cancel-requested', reason: 'rain' });
      await newer.engine.receive(replyTo(id, `${step}.undo`, refused('too_late')));
    }
    expect(await countedBy(older)).toEqual({ saga_parked: 2, saga_unknown_versions: 2 });
    expect(await countedBy(newer)).toEqual({ saga_parked: 2, saga_unknown_versions: 0 });
    await newer.engine.receive(replyTo(parked, 'hotel.undo'));
    expect(await countedBy(older)).toEqual({ saga_parked: 1, saga_unknown_versions: 1 });
    expect((await sagaOf(moving)).status).toBe('running');
  });

  it('R50 keeps the last numbers while the database cannot be asked, and says so', async () => {
    await beginOn(newer, journeyV2);
    const before = await countedBy(older);
    const away = {
      ...older.database,
      query: () => Promise.reject(new Error('away')),
    } as unknown as typeof older.database;
    const lines: object[] = [];
    const logger = { warn: (line: object, event: string) => lines.push({ ...line, event }) } as unknown as Logger;
    const census = new SagaCensus({ database: away, engine: older.engine, logger });
    census.start();
    await eventually(() => expect(lines).toEqual([{ event: 'saga.census.failed', reason: 'away' }]));
    await census.stop();
    expect(await gauges()).toEqual(before);
  });
});

describe('R8 a new version is deployed and rolled back', () => {
  const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
  const random = seededRandom(seed);
  const plans = {
    1: ['flight.do', 'hotel.do', 'pay.do', 'completed'],
    2: ['hotel.do', 'flight.do', 'pay.do', 'completed'],
  };

  /** Each reply comes to every replica, in any order. At least one of them may use it. */
  async function answerAll(...replicas: Replica[]): Promise<void> {
    for (const { sent } of replicas) {
      for (const { message } of random.shuffle(sent.splice(0))) {
        const [, step, action] = message.id.split('/');
        for (const { engine } of random.shuffle(replicas)) {
          await engine.receive(replyTo(message.subject, `${step}.${action}`));
        }
      }
    }
  }

  /** Deadlines send the commands of replicas that are gone again. */
  async function run(ids: string[], ...replicas: Replica[]): Promise<void> {
    await expire(...ids);
    for (const { deadlines } of replicas) deadlines.start();
    await eventually(async () => {
      await answerAll(...replicas);
      for (const id of ids) expect(await sagaOf(id)).toMatchObject({ status: 'completed' });
    });
    await Promise.all(replicas.map(({ deadlines }) => deadlines.stop()));
  }

  it(`R8 every saga ends by the plan that it was begun with (seed ${seed})`, async () => {
    const first = [await beginOn(older, journeyV1), await beginOn(older, journeyV1), await beginOn(older, journeyV1)];
    // A rolling deployment: both releases run, and the newer one begins sagas of the second version.
    const second = [await beginOn(newer, journeyV2), await beginOn(newer, journeyV2)];
    await older.engine.receive(replyTo(first[0]!, 'flight.do'));
    await newer.engine.receive(replyTo(first[1]!, 'flight.do'));
    await newer.engine.receive(replyTo(second[0]!, 'hotel.do'));
    await older.engine.receive(replyTo(second[1]!, 'hotel.do'));
    expect((await sagaOf(second[0]!)).step).toBe('flight');
    expect((await sagaOf(second[1]!)).step).toBe('hotel');

    // Rolled back: only the older release runs.
    const afterwards = await beginOn(older, journeyV1);
    await run([...first, afterwards], older);
    const waiting = await Promise.all(second.map(sagaOf));
    expect(waiting.map(({ status, step }) => [status, step])).toEqual([
      ['running', 'flight'],
      ['running', 'hotel'],
    ]);
    expect(await countedBy(older)).toMatchObject({ saga_unknown_versions: 2 });

    // The newer release is deployed again.
    const opener = await openReplica(stack.databaseUrl, { definitions: [journeyV1, journeyV2] });
    try {
      const both = [await beginOn(opener, journeyV1), await beginOn(opener, journeyV2)];
      await run([...second, ...both], opener, older);
      for (const id of [...first, afterwards, both[0]!]) expect(await stepsOf(id)).toEqual(plans[1]);
      for (const id of [...second, both[1]!]) expect(await stepsOf(id)).toEqual(plans[2]);
    } finally {
      await opener.deadlines.stop();
      await opener.database.close();
    }
  });

  /** The steps in order, each once. Commands that were sent again are left out. */
  async function stepsOf(id: string): Promise<string[]> {
    return [...new Set(await pathOf(id))];
  }
});

async function countedBy({ database, engine }: Replica): Promise<Record<string, number>> {
  const census = new SagaCensus({ database, engine, logger: pino({ level: 'silent' }) });
  census.start();
  await census.stop();
  return gauges();
}

async function gauges(): Promise<Record<string, number>> {
  const read = ['saga_parked', 'saga_unknown_versions'].map(async (name) => {
    const { values } = await register.getSingleMetric(name)!.get();
    return [name, values[0]!.value] as const;
  });
  return Object.fromEntries(await Promise.all(read));
}
