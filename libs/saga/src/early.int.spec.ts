/** What the engine sends before it is written, and how everybody comes to the same end all the same. */
import { traffic } from '@shop/postgres';
import { eventually, seededRandom } from '@shop/testing';
import { journeyV3, refused, replyTo } from '../testing/journey';
import { openReplica, type Replica } from '../testing/replica';
import { beginOn, expireOn, sentFor, useSagaStack } from '../testing/sagas';
import { findSaga } from './saga.view';

const stack = useSagaStack();

let one: Replica;
let two: Replica;

beforeEach(async () => {
  one = await openReplica(stack.databaseUrl, { definitions: [journeyV3] });
  two = await openReplica(stack.databaseUrl, { definitions: [journeyV3] });
});
afterEach(async () => {
  await Promise.all([one, two].map(({ deadlines }) => deadlines.stop()));
  await Promise.all([one, two].map(({ database }) => database.close()));
});

const begin = (replica: Replica) => beginOn(replica, journeyV3);

/** A saga whose flight is booked and whose hotel is being booked, and nobody but `one` knows. */
async function heard(): Promise<string> {
  const id = await begin(one);
  await one.engine.receive(replyTo(id, 'flight.do'));
  return id;
}

const sagaOf = async (id: string) => (await findSaga(one.database, id))!;
const pathOf = async (id: string) => (await sagaOf(id)).history.map(({ event, to }) => `${event} → ${to}`);
const loggedFor = (id: string, { log }: Replica) =>
  log.filter(({ sagaId, event }) => sagaId === id && event !== 'saga.event.ignored').map(({ event }) => event);
const expire = (...ids: string[]) => expireOn(one, ...ids);

const started = 'started → flight.do';
const allThere = [started, 'do.succeeded → hotel.do', 'do.succeeded → pay.do', 'do.succeeded → completed'];
const bookings = ['flight/do', 'hotel/do', 'pay/do'];

describe('R5 a command that leaves early', () => {
  it('R45 leaves without a word to the database, and is logged when it is written', async () => {
    const id = await begin(one);
    const before = traffic.trips;
    await one.engine.receive(replyTo(id, 'flight.do'));
    expect(traffic.trips - before).toBe(0);
    expect(sentFor(id, one)).toEqual(['flight/do', 'hotel/do']);
    expect(await pathOf(id)).toEqual([started]);
    expect(loggedFor(id, one)).toEqual(['saga.started']);
  });

  it('R45 is written with the reply to it, in one trip, each at its time', async () => {
    const id = await heard();
    await new Promise((resolve) => setTimeout(resolve, 30));
    const before = traffic.trips;
    await one.engine.receive(replyTo(id, 'hotel.do'));
    expect(traffic.trips - before).toBe(1);
    expect(await pathOf(id)).toEqual(allThere.slice(0, 3));
    expect(sentFor(id, one)).toEqual(bookings);
    const [, flight, hotel] = (await sagaOf(id)).history.map(({ at }) => Date.parse(at));
    expect(hotel! - flight!).toBeGreaterThanOrEqual(29);
    expect(loggedFor(id, one)).toEqual(['saga.started', 'saga.do.succeeded', 'saga.do.succeeded']);
    expect(one.log.at(-1)!['durationMs']).toBeGreaterThanOrEqual(29);
  });

  it('R2 may be refused: then the step before it is undone', async () => {
    const id = await heard();
    await one.engine.receive(replyTo(id, 'hotel.do', refused('hotel_full')));
    await one.engine.receive(replyTo(id, 'flight.undo'));
    expect(await pathOf(id)).toEqual([
      started,
      'do.succeeded → hotel.do',
      'do.refused → flight.undo',
      'undo.succeeded → compensated',
    ]);
    expect(sentFor(id, one)).toEqual(['flight/do', 'hotel/do', 'flight/undo']);
  });

  it('R5 is written with a deadline of its own, and not sent once more, when no reply comes for a while', async () => {
    const id = await heard();
    await one.engine.writeHeard(60_000);
    expect(await pathOf(id)).toEqual([started]);
    await one.engine.writeHeard(0);
    await one.engine.writeHeard(0);
    const { step, deadlineAt, history } = await sagaOf(id);
    expect(history.map(({ to }) => to)).toEqual(['flight.do', 'hotel.do']);
    expect(step).toBe('hotel');
    expect(Date.parse(deadlineAt!)).toBeGreaterThan(Date.now() + 30_000);
    expect(sentFor(id, one)).toEqual(['flight/do', 'hotel/do']);
    for (const name of ['hotel', 'pay']) await one.engine.receive(replyTo(id, `${name}.do`));
    expect(await pathOf(id)).toEqual(allThere);
  });

  it('R5 is written by the timer', async () => {
    const id = await heard();
    one.deadlines.start();
    await eventually(async () => expect((await sagaOf(id)).step).toBe('hotel'));
  });

  it('R10 leaves once, however often and however contradictory the reply before it comes', async () => {
    const id = await heard();
    await one.engine.receive(replyTo(id, 'flight.do'));
    await one.engine.receive(replyTo(id, 'flight.do', refused('no_seats')));
    expect(sentFor(id, one)).toEqual(['flight/do', 'hotel/do']);
    expect(await pathOf(id)).toEqual(allThere.slice(0, 2));
  });

  it('R46 waits for what the database says of a reply that has something to tell', async () => {
    const id = await begin(one);
    await one.engine.receive(replyTo(id, 'flight.do', { outcome: 'succeeded', result: { seat: '12A' } }));
    expect(await pathOf(id)).toEqual(allThere.slice(0, 2));
  });

  it('R5 waits, like all others, from the moment in which its replica is about to end', async () => {
    const [ended, later] = [await heard(), await begin(one)];
    await one.engine.settle();
    expect(await pathOf(ended)).toEqual(allThere.slice(0, 2));
    await one.engine.receive(replyTo(later, 'flight.do'));
    expect(await pathOf(later)).toEqual(allThere.slice(0, 2));
  });
});

describe('R11 another replica, or the same one after its death,', () => {
  it('R10 takes the reply to the early command for the proof of the one that nobody wrote', async () => {
    const id = await heard();
    await two.engine.receive(replyTo(id, 'hotel.do'));
    await two.engine.receive(replyTo(id, 'pay.do'));
    expect(await pathOf(id)).toEqual(allThere);
    expect(sentFor(id, two)).toEqual(['pay/do']);
    expect(loggedFor(id, two)).toHaveLength(3);
  });

  it('R2 asks again when nothing comes, and ends as if nothing had been lost', async () => {
    const id = await heard();
    await expire(id);
    two.deadlines.start();
    await eventually(() => expect(sentFor(id, two)).toEqual(['flight/do']));
    for (const name of ['flight', 'hotel', 'pay']) await two.engine.receive(replyTo(id, `${name}.do`));
    expect((await sagaOf(id)).status).toBe('completed');
    expect(sentFor(id, two)).toEqual(bookings);
  });

  it('R2 R9 undoes the early step too when it cancels, and who heard lets it', async () => {
    const id = await heard();
    await two.engine.dispatch(id, { type: 'cancel-requested', reason: 'rain' });
    await one.engine.receive(replyTo(id, 'hotel.do'));
    await one.engine.writeHeard(0);
    for (const name of ['hotel', 'flight']) await two.engine.receive(replyTo(id, `${name}.undo`));
    expect(sentFor(id, one)).toEqual(['flight/do', 'hotel/do']);
    expect(sentFor(id, two)).toEqual(['hotel/undo', 'flight/undo']);
    expect(await pathOf(id)).toEqual([
      started,
      'cancel.requested → hotel.undo',
      'undo.succeeded → flight.undo',
      'undo.succeeded → compensated',
    ]);
  });

  it('R2 undoes the early step too when the budget of the one before it is spent', async () => {
    const id = await heard();
    for (const attempt of [1, 2]) {
      await two.engine.dispatch(id, { type: 'deadline-passed', step: 'flight', action: 'do', attempt });
    }
    expect(sentFor(id, two)).toEqual(['flight/do', 'hotel/undo']);
    expect(await sagaOf(id)).toMatchObject({ status: 'compensating', step: 'hotel', reason: 'timed_out' });
  });

  it('R9 who heard cancels: the reply is written in front of the wish', async () => {
    const id = await heard();
    await one.engine.dispatch(id, { type: 'cancel-requested', reason: 'rain' });
    expect(await pathOf(id)).toEqual([started, 'do.succeeded → hotel.do', 'cancel.requested → hotel.undo']);
  });

  it('R5 what was overtaken is forgotten, and not tried for ever', async () => {
    const id = await heard();
    await one.database.query({ name: 'test.forget', text: 'delete from saga where id = $1' }, [id]);
    await one.engine.writeHeard(0);
    const before = traffic.trips;
    await one.engine.writeHeard(0);
    expect(traffic.trips - before).toBe(0);
  });

  const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
  it(`R10 replies that come several times to two replicas move each saga once (seed ${seed})`, async () => {
    const random = seededRandom(seed);
    const ids = await Promise.all(Array.from({ length: 20 }, () => begin(one)));
    const steps = ['flight', 'hotel', 'pay'];
    for (const [round, name] of steps.entries()) {
      const replies = random.shuffle(
        ids.flatMap((id) => [name, name, name, ...steps.slice(0, round)].map((of) => replyTo(id, `${of}.do`))),
      );
      while (replies.length > 0) {
        const batch = replies.splice(0, 1 + random.int(40));
        await Promise.all(batch.map((reply) => random.pick([one, two]).engine.receive(reply)));
      }
    }
    for (const id of ids) {
      expect(await pathOf(id)).toEqual(allThere);
      // What left early may leave again from the other replica; nothing else does.
      const sent = sentFor(id, one, two);
      expect(new Set(sent)).toEqual(new Set(bookings));
      expect(sent.filter((command) => command !== 'hotel/do')).toHaveLength(2);
    }
  });
});
