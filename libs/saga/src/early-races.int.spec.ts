/** What else happens to a saga while a reply of it is heard and not written: failures, deadlines, operators, an end. */
import { type Database, traffic } from '@shop/postgres';
import { type Journey, journeyV1, journeyV3, replyTo } from '../testing/journey';
import { openReplica, type Replica } from '../testing/replica';
import { actOn, beginOn, expireOn, sentFor, useSagaStack } from '../testing/sagas';
import { Deadlines } from './deadlines';
import { defineSaga } from './definition';
import type { OperatorEvent } from './saga-state';
import { findSaga } from './saga.view';

const stack = useSagaStack();

/** Whoever is asked for it has no time left. */
const hurried = { ...journeyV3.steps[0]!.deadline, backoff: { firstMs: 0, factor: 1, maxMs: 0 } };
const journeyV4 = defineSaga<Journey>('journey', 4, [
  { ...journeyV3.steps[0]!, deadline: hurried },
  ...journeyV3.steps.slice(1),
]);
const definitions = [journeyV1, journeyV3, journeyV4];

/** The database does not take what is written of these. */
const unstorable = new Set<string>();
let one: Replica;
let two: Replica;

beforeEach(async () => {
  unstorable.clear();
  one = await openReplica(stack.databaseUrl, {
    definitions,
    onChange: (_, changes) => {
      if (changes.some(({ saga }) => unstorable.has(saga.id))) throw new Error('cannot be stored');
      return [];
    },
  });
  two = await openReplica(stack.databaseUrl, { definitions });
});
afterEach(async () => {
  jest.restoreAllMocks();
  await Promise.all([one, two].map(({ deadlines }) => deadlines.stop()));
  await Promise.all([one, two].map(({ database }) => database.close()));
});

const begin = (replica: Replica, definition = journeyV3) => beginOn(replica, definition);

/** A saga whose flight is booked and whose hotel is being booked, and nobody but `one` knows. */
async function heard(): Promise<string> {
  const id = await begin(one);
  await one.engine.receive(replyTo(id, 'flight.do'));
  expect(await pathOf(id)).toEqual(['flight.do']);
  return id;
}

const flightAttempt = (attempt: number) =>
  ({ type: 'deadline-passed', step: 'flight', action: 'do', attempt }) as const;
const by = (act: 'retry' | 'cancel'): OperatorEvent => ({ type: 'operator', act, by: 'olga' });
const skip: OperatorEvent = { type: 'operator', act: 'skip', by: 'olga', reason: 'called them' };
const pathOf = async (id: string) => (await findSaga(one.database, id))!.history.map(({ to }) => to);
const expire = (...ids: string[]) => expireOn(one, ...ids);
const tripsOf = async (work: Promise<unknown>) => {
  const before = traffic.trips;
  await work;
  return traffic.trips - before;
};

/** As the timer does it, without waiting until it is old. */
const look = ({ database, engine, logger }: Replica) =>
  new Deadlines({ database, engine, logger, writeHeardAfterMs: 0 }).wake();

async function act(replica: Replica, id: string, event: OperatorEvent): Promise<string[]> {
  const done = await actOn(replica, id, event);
  if (typeof done === 'string') return [done];
  return done.map(({ saga, transition }) => `${saga.version} ${transition.event}`);
}

/** It fails so the next time, before or behind its commit. */
function failOnce(database: Database, when: 'before' | 'behind', error: Error): void {
  const real = database.transaction.bind(database);
  jest.spyOn(database, 'transaction').mockImplementationOnce(async (work) => {
    if (when === 'behind') await real(work);
    throw error;
  });
}
const away = () => Object.assign(new Error('Connection terminated unexpectedly'), { code: '08006' });

describe('R5 what was heard and cannot be written', () => {
  it('R5 keeps no other saga from its deadline, and none from being written', async () => {
    const [stuck, next, due] = [await heard(), await heard(), await begin(one)];
    unstorable.add(stuck);
    await expire(due);
    await look(one);
    expect(await pathOf(next)).toEqual(['flight.do', 'hotel.do']);
    expect(await pathOf(due)).toEqual(['flight.do', 'flight.do']);
  });

  it('R5 keeps no other from being written before its replica ends', async () => {
    const [stuck, next] = [await heard(), await heard()];
    unstorable.add(stuck);
    await one.engine.settle();
    expect(await pathOf(next)).toEqual(['flight.do', 'hotel.do']);
  });

  it('R5 is not tried for ever: it is asked for again, the way on which failures are counted', async () => {
    const id = await heard();
    unstorable.add(id);
    await one.engine.writeHeard(0).catch(() => undefined);
    expect(await tripsOf(one.engine.writeHeard(0))).toBe(0);
    await expect(one.engine.receive(replyTo(id, 'flight.do'))).rejects.toThrow('cannot be stored');
    unstorable.clear();
    await one.engine.dispatch(id, flightAttempt(1));
    for (const name of ['flight', 'hotel', 'pay']) await one.engine.receive(replyTo(id, `${name}.do`));
    expect(await pathOf(id)).toEqual(['flight.do', 'flight.do', 'hotel.do', 'pay.do', 'completed']);
  });

  it('R5 stays in mind while the database is away, and is written when it is back', async () => {
    const id = await heard();
    failOnce(one.database, 'before', away());
    await one.engine.writeHeard(0).catch(() => undefined);
    expect(await pathOf(id)).toEqual(['flight.do']);
    await one.engine.writeHeard(0);
    expect(await pathOf(id)).toEqual(['flight.do', 'hotel.do']);
  });

  it('R7 is forgotten when it was written all the same, and only the answer was lost', async () => {
    const id = await heard();
    failOnce(one.database, 'behind', away());
    await one.engine.writeHeard(0).catch(() => undefined);
    await one.engine.writeHeard(0);
    expect(await pathOf(id)).toEqual(['flight.do', 'hotel.do']);
    expect(await tripsOf(one.engine.writeHeard(0))).toBe(0);
  });

  it('R5 does not keep its replica from ending when the database is away', async () => {
    const id = await heard();
    failOnce(one.database, 'before', away());
    await one.engine.settle();
    await two.engine.receive(replyTo(id, 'hotel.do'));
    expect(await pathOf(id)).toEqual(['flight.do', 'hotel.do', 'pay.do']);
  });
});

describe('R5 nothing leaves early', () => {
  it('R5 for a saga whose deadline has passed: another replica may have brought it to its end', async () => {
    const id = await begin(one, journeyV4);
    for (const name of ['flight', 'hotel', 'pay']) await two.engine.receive(replyTo(id, `${name}.do`));
    await one.engine.receive(replyTo(id, 'flight.do'));
    expect(sentFor(id, one)).toEqual(['flight/do']);
    expect(await pathOf(id)).toEqual(['flight.do', 'hotel.do', 'pay.do', 'completed']);
  });

  it('R5 behind a command that was asked again: its reply is acknowledged when it is written', async () => {
    const id = await begin(one);
    await one.engine.dispatch(id, flightAttempt(1));
    await one.engine.receive(replyTo(id, 'flight.do'));
    expect(await pathOf(id)).toEqual(['flight.do', 'flight.do', 'hotel.do']);
  });

  it('R5 behind a message that has failed before', async () => {
    const id = await begin(one);
    await one.engine.receive(replyTo(id, 'flight.do'), { alone: true });
    expect(await pathOf(id)).toEqual(['flight.do', 'hotel.do']);
  });

  it('R8 for a saga of a version that does not say so, next to one that does', async () => {
    const [older, newer] = [await begin(one, journeyV1), await begin(one)];
    await Promise.all([older, newer].map((id) => one.engine.receive(replyTo(id, 'flight.do'))));
    expect(await pathOf(older)).toEqual(['flight.do', 'hotel.do']);
    expect(await pathOf(newer)).toEqual(['flight.do']);
    await one.engine.dispatch(older, { type: 'cancel-requested', reason: 'rain' });
    expect(sentFor(older, one)).toEqual(['flight/do', 'hotel/do', 'hotel/undo']);
  });
});

describe('R5 a deadline that passes while something is heard', () => {
  it('R5 finds it written, and asks nothing again', async () => {
    const id = await heard();
    await one.engine.dispatch(id, flightAttempt(1));
    expect(await pathOf(id)).toEqual(['flight.do', 'hotel.do']);
    expect(sentFor(id, one)).toEqual(['flight/do', 'hotel/do']);
  });

  it('R5 on another replica is in the history in front of what was heard, which is dated behind it', async () => {
    const id = await heard();
    await new Promise((resolve) => setTimeout(resolve, 30));
    await two.engine.dispatch(id, flightAttempt(1));
    await one.engine.writeHeard(0);
    const { history } = (await findSaga(one.database, id))!;
    expect(history.map(({ to }) => to)).toEqual(['flight.do', 'flight.do', 'hotel.do']);
    const times = history.map(({ at }) => Date.parse(at));
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(Math.min(...one.log.flatMap(({ durationMs }) => (durationMs as number) ?? []))).toBeGreaterThanOrEqual(0);
  });
});

describe('R6 an operator who acts on a saga of which something is heard', () => {
  it('R6 sees it written in front of the act', async () => {
    const [again, back] = [await heard(), await heard()];
    expect(await act(one, again, by('retry'))).toEqual(['2 do.succeeded', '3 operator.retry']);
    expect(await act(one, back, by('cancel'))).toEqual(['2 do.succeeded', '3 operator.cancel']);
    expect(sentFor(again, one)).toEqual(['flight/do', 'hotel/do', 'hotel/do']);
    expect(sentFor(back, one)).toEqual(['flight/do', 'hotel/do', 'hotel/undo']);
    expect(await tripsOf(one.engine.writeHeard(60_000))).toBe(0);
    const { history } = (await findSaga(one.database, again))!;
    expect(history.map(({ event }) => event)).toEqual(['started', 'do.succeeded', 'operator.retry']);
  });

  it('R6 whose act does not fit writes neither, and who listens is told of the reply when it is written', async () => {
    const id = await heard();
    expect(await act(one, id, skip)).toEqual(['not-parked']);
    expect(await pathOf(id)).toEqual(['flight.do']);
    await one.engine.writeHeard(0);
    expect(await pathOf(id)).toEqual(['flight.do', 'hotel.do']);
    const told = one.log.filter(({ sagaId, event }) => sagaId === id && event === 'saga.do.succeeded');
    expect(told).toHaveLength(1);
  });

  it('R6 whose act fails writes neither: it is still heard', async () => {
    const id = await heard();
    const failing = one.database.transaction(async (tx) => {
      await one.engine.decideIn(tx, id, by('cancel'));
      throw new Error('the answer cannot be stored');
    });
    await expect(failing).rejects.toThrow('cannot be stored');
    await one.engine.receive(replyTo(id, 'hotel.do'));
    expect(await pathOf(id)).toEqual(['flight.do', 'hotel.do', 'pay.do']);
  });

  it('R6 R2 and cancels while the reply comes in: what left early is undone, and the saga ends', async () => {
    const id = await begin(one);
    await actOn(one, id, by('cancel'), () => one.engine.receive(replyTo(id, 'flight.do')));
    await one.engine.receive(replyTo(id, 'hotel.do'));
    for (const name of ['hotel', 'flight']) await one.engine.receive(replyTo(id, `${name}.undo`));
    expect(sentFor(id, one)).toEqual(['flight/do', 'hotel/do', 'hotel/undo', 'flight/undo']);
    expect(await pathOf(id)).toEqual(['flight.do', 'hotel.undo', 'flight.undo', 'compensated']);
    expect(await tripsOf(one.engine.writeHeard(0))).toBe(0);
  });

  it('R6 and asks again while the reply comes in: the next one brings it on', async () => {
    const id = await begin(one);
    await actOn(one, id, by('retry'), () => one.engine.receive(replyTo(id, 'flight.do')));
    for (const name of ['flight', 'hotel', 'pay']) await one.engine.receive(replyTo(id, `${name}.do`));
    expect(await pathOf(id)).toEqual(['flight.do', 'flight.do', 'hotel.do', 'pay.do', 'completed']);
  });
});

describe('R10 a reply that comes to two replicas', () => {
  it('R10 is heard by both, and the saga moves once', async () => {
    const id = await begin(one);
    await two.engine.dispatch(id, flightAttempt(0));
    for (const { engine } of [one, two]) await engine.receive(replyTo(id, 'flight.do'));
    await Promise.all([one, two].map(({ engine }) => engine.receive(replyTo(id, 'hotel.do'))));
    await Promise.all([one, two].map(({ engine }) => engine.writeHeard(0)));
    expect(await pathOf(id)).toEqual(['flight.do', 'hotel.do', 'pay.do']);
    for (const { engine } of [one, two]) expect(await tripsOf(engine.writeHeard(0))).toBe(0);
  });
});
