/** The count of open sagas, with two replicas on one database. */
import { eventually } from '@shop/testing';
import type { SagaChange } from './decide-batch';
import { OpenSagas } from './open-sagas';
import { openReplica, type Replica } from '../testing/replica';
import { beginOn, useSagaStack } from '../testing/sagas';
import { type Journey, journeyV1 } from '../testing/journey';

const stack = useSagaStack();

interface Counted extends Replica {
  open: OpenSagas;
}

let one: Counted;
let other: Counted;

async function openCounted(): Promise<Counted> {
  const listeners: OpenSagas[] = [];
  const replica = await openReplica(stack.databaseUrl, {
    open: { note: (changes) => listeners.forEach((each) => each.note(changes)) },
  });
  const { database, logger } = replica;
  const open = new OpenSagas({ database, logger, intervalMs: 20 });
  listeners.push(open);
  return { ...replica, open };
}

beforeEach(async () => {
  [one, other] = await Promise.all([openCounted(), openCounted()]);
  await one.database.query({ name: 'test.clear', text: 'truncate saga, saga_history' });
});
afterEach(async () => {
  for (const { open, database } of [one, other]) {
    await open.stop();
    await database.close();
  }
});

const begin = (replica: Replica, tenant: string) =>
  beginOn(replica, journeyV1, { traveller: 'Ada', tenant } as Journey);
const cancel = ({ engine }: Replica, id: string) => engine.dispatch(id, { type: 'cancel-requested', reason: 'rain' });
const countsOf = ({ open }: Counted) => [open.total, open.of('a'), open.of('b')];

describe('R45 OpenSagas', () => {
  it('R45 knows at once what this replica has begun and ended', async () => {
    const id = await begin(one, 'a');
    await begin(one, 'b');
    expect([...countsOf(one), one.open.begun]).toEqual([2, 1, 1, 2]);
    let told = 0;
    one.open.onFewer(() => told++);
    await cancel(one, id);
    // It turns back, and is open until it has.
    expect([...countsOf(one), one.open.begun, told]).toEqual([2, 1, 1, 2, 0]);
    await one.engine.dispatch(id, { type: 'replied', step: 'flight', action: 'undo', outcome: 'succeeded' });
    expect([...countsOf(one), one.open.begun, told]).toEqual([1, 0, 1, 1, 1]);
  });

  it('R45 knows which of its sagas wait for their first reply', async () => {
    const [first] = [await begin(one, 'a'), await begin(one, 'a')];
    expect(one.open.begun).toBe(2);
    await one.engine.dispatch(first, { type: 'replied', step: 'flight', action: 'do', outcome: 'succeeded' });
    expect([one.open.begun, one.open.total]).toEqual([1, 2]);
  });

  it('R45 does not count those that wait while nobody answers any of them, and counts again when somebody does', async () => {
    const [first] = [await begin(one, 'a'), await begin(one, 'a'), await begin(one, 'b')];
    expect(one.open.begun).toBe(3);
    const after = (ms: number) => jest.spyOn(performance, 'now').mockReturnValue(performance.now() + ms);
    after(600);
    expect([one.open.begun, one.open.total]).toEqual([0, 3]);
    jest.restoreAllMocks();
    await one.engine.dispatch(first, { type: 'replied', step: 'flight', action: 'do', outcome: 'succeeded' });
    after(100);
    expect(one.open.begun).toBe(2);
    jest.restoreAllMocks();
  });

  it('R45 counts those of all replicas, and forgets what others have ended', async () => {
    const ids = [await begin(one, 'a'), await begin(other, 'a'), await begin(other, 'b')];
    one.open.start();
    await eventually(() => expect(countsOf(one)).toEqual([3, 2, 1]));
    await cancel(other, ids[0]!);
    await other.engine.dispatch(ids[0]!, { type: 'replied', step: 'flight', action: 'undo', outcome: 'succeeded' });
    await eventually(() => expect(countsOf(one)).toEqual([2, 1, 1]));
  });

  it('R45 never counts an end twice, though it came while the database was asked', async () => {
    const { database, logger } = one;
    const ids = [await begin(one, 'a'), await begin(one, 'a')];
    const ending = new OpenSagas({
      database: {
        query: async (...asked: Parameters<typeof database.query>) => {
          await cancel(one, ids[0]!);
          const state = { status: 'compensating' } as SagaChange['before'];
          ending.note([
            {
              saga: { id: ids[0], state: { status: 'cancelled' }, data: { tenant: 'a' } },
              before: state,
            } as unknown as SagaChange,
          ]);
          await one.engine.dispatch(ids[0]!, { type: 'replied', step: 'flight', action: 'undo', outcome: 'succeeded' });
          return database.query(...asked);
        },
      } as typeof database,
      logger,
      intervalMs: 60_000,
    });
    ending.start();
    await eventually(() => expect([ending.total, ending.of('a')]).toEqual([1, 1]));
    await ending.stop();
  });
});
