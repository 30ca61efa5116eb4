/** Sagas and steps that people hold, in two replicas on one database. */
import type { Reply } from '@shop/messaging';
import { eventually } from '@shop/testing';
import { type Journey, journeyV1, refused, replyTo } from '../testing/journey';
import { openReplica, type Replica } from '../testing/replica';
import { actOn, beginOn, expireOn, sentFor, useSagaStack } from '../testing/sagas';
import { eraseSagas } from './erase-sagas';
import { HoldReleases } from './hold-releases';
import { OpenSagas } from './open-sagas';
import { listSagas, openStatuses } from './saga-list';
import type { OperatorEvent } from './saga-state';
import { countSagas } from './open-sagas.repository';
import { findSaga, type SagaView, withoutOperators } from './saga.view';
import { StepHolds } from './step-holds';
import { endHold, listHolds, placeHold } from './step-holds.repository';

const stack = useSagaStack();
const hold: OperatorEvent = { type: 'operator', act: 'hold', by: 'olga', reason: 'the airline is on strike' };
const resume: OperatorEvent = { type: 'operator', act: 'resume', by: 'otto', reason: 'the strike is over' };
const why = { by: 'hugo', reason: 'repairs' };
const HOUR = `interval '1 hour'`;

const replicas: Replica[] = [];
let one: Replica;
let two: Replica;
let holds: StepHolds;
let holdsOfTwo: StepHolds;

/** A replica that reads the holds when the test says so. */
async function open(): Promise<[Replica, StepHolds]> {
  const own: { holds?: StepHolds } = {};
  const replica = await openReplica(stack.databaseUrl, { holds: { of: (...step) => own.holds?.of(...step) } });
  replicas.push(replica);
  own.holds = new StepHolds({ database: replica.database, logger: replica.logger });
  return [replica, own.holds];
}

beforeEach(async () => {
  [one, holds] = await open();
  [two, holdsOfTwo] = await open();
  await one.database.query({ name: 'test.clear', text: 'truncate saga, saga_history, saga_hold' });
});
afterEach(async () => {
  await Promise.all(replicas.splice(0).map(({ database }) => database.close()));
});

const begin = (tenant = 'acme') => beginOn(one, journeyV1, { traveller: 'Ada', tenant } as Journey);
const sagaOf = async (id: string): Promise<SagaView> => (await findSaga(one.database, id))!;
const pathOf = async (id: string) => (await sagaOf(id)).history.map(({ event, to }) => `${event} → ${to}`);
const reply = (id: string, command: string, told?: Reply) => one.engine.receive(replyTo(id, command, told));
const hotel = (tenant = 'acme') => ({ tenant, definition: 'journey', step: 'hotel' });
const place = async (step = hotel()) => {
  const placed = await one.database.transaction((tx) => placeHold(tx, step, why));
  await Promise.all([holds.refresh(), holdsOfTwo.refresh()]);
  return placed;
};
const end = async (step = hotel()) => {
  await one.database.transaction((tx) => endHold(tx, step, 'otto'));
  await Promise.all([holds.refresh(), holdsOfTwo.refresh()]);
};
const heldNow = async () =>
  (await countSagas(one.database)).reduce((sum, { status, sagas }) => (status === 'held' ? sum + sagas : sum), 0);
const change = (text: string, id: string) =>
  one.database.query<{ seconds: number }>({ name: `test.${text}`.slice(0, 60), text }, [id]);
/** How long from now until the deadline, by the clock of the database. */
const leftOf = async (id: string) => {
  const text = 'select extract(epoch from deadline_at - now())::int as seconds from saga where id = $1';
  return (await change(text, id))[0]!.seconds;
};

describe('R49 a saga that is held', () => {
  it('R49 sends nothing and takes what it is told, in whichever replica, and sends what it owes when it is resumed', async () => {
    const id = await begin();
    await actOn(two, id, hold);
    await reply(id, 'flight.do');
    expect(sentFor(id, one, two)).toEqual(['flight/do']);
    expect(await sagaOf(id)).toMatchObject({
      status: 'running',
      step: 'hotel',
      attempt: 0,
      deadlineAt: null,
      held: { by: 'olga', reason: 'the airline is on strike', since: expect.any(String), scope: 'saga' },
    });
    await actOn(two, id, resume);
    expect(sentFor(id, one, two)).toEqual(['flight/do', 'hotel/do']);
    expect(await sagaOf(id)).toMatchObject({ attempt: 1, held: null, deadlineAt: expect.any(String) });
    expect((await sagaOf(id)).history.slice(1).map(({ event, detail }) => ({ event, detail }))).toEqual([
      { event: 'operator.hold', detail: { by: 'olga', reason: 'the airline is on strike' } },
      { event: 'do.succeeded', detail: undefined },
      { event: 'operator.resume', detail: { by: 'otto', reason: 'the strike is over' } },
    ]);
  });

  it('R49 R5 has as much time left behind the hold as before it', async () => {
    const id = await begin();
    await change(`update saga set deadline_at = now() + interval '40 seconds' where id = $1`, id);
    await actOn(one, id, hold);
    // As if it had been held for an hour.
    await change(
      `update saga set deadline_at = deadline_at - ${HOUR},
         held = held || jsonb_build_object('since', (held ->> 'since')::timestamptz - ${HOUR}) where id = $1`,
      id,
    );
    await one.deadlines.wake();
    expect(sentFor(id, one)).toEqual(['flight/do']);
    await actOn(two, id, resume);
    expect(sentFor(id, one, two)).toEqual(['flight/do']);
    const left = await leftOf(id);
    expect(left).toBeGreaterThan(20);
    expect(left).toBeLessThanOrEqual(40);
  });

  it('R49 keeps a wish to cancel, and turns back when it is resumed', async () => {
    const id = await begin();
    await reply(id, 'flight.do');
    await actOn(one, id, hold);
    await one.engine.dispatch(id, { type: 'cancel-requested', reason: 'rain' });
    expect(sentFor(id, one)).toEqual(['flight/do', 'hotel/do']);
    expect(await sagaOf(id)).toMatchObject({ status: 'compensating', reason: 'rain', held: { by: 'olga' } });
    await actOn(one, id, resume);
    expect(sentFor(id, one).slice(2)).toEqual(['hotel/undo']);
  });

  it('R49 R8 is free again when a release that does not know the column has moved it', async () => {
    const id = await begin();
    await actOn(one, id, hold);
    await change('update saga set attempt = 2, version = version + 1 where id = $1', id);
    expect((await sagaOf(id)).held).toBeNull();
    expect(await heldNow()).toBe(0);
    await expireOn(one, id);
    await two.deadlines.wake();
    expect(sentFor(id, two)).toEqual(['flight/undo']);
  });

  it('R49 is shown in the list and counted, takes no room at the door, and customers are not told by whom', async () => {
    const id = await begin();
    await actOn(one, id, hold);
    const { items } = await listSagas(one.database, { tenant: 'acme', statuses: openStatuses, limit: 10 });
    expect(items[0]).toMatchObject({ id, held: { by: 'olga', scope: 'saga' }, deadlineAt: null });
    expect(await heldNow()).toBe(1);
    const counted = new OpenSagas({ database: one.database, logger: one.logger, intervalMs: 20 });
    counted.start();
    await begin();
    await eventually(() => expect(counted.total).toBe(1));
    await counted.stop();
    expect(JSON.stringify(withoutOperators(await sagaOf(id)))).not.toMatch(/olga|strike/);
  });

  it('R26 forgets why and by whom it is held when that is erased', async () => {
    const id = await begin();
    await actOn(one, id, hold);
    await one.database.transaction((tx) => eraseSagas(tx, [id], { definitions: [journeyV1], names: true }));
    expect((await sagaOf(id)).held).toMatchObject({ by: 'erased', reason: 'erased' });
  });
});

describe('R49 a step that is held', () => {
  it('R49 stops every saga of the tenant that would send its command, at whichever replica', async () => {
    await place();
    const id = await begin();
    const other = await begin('rival');
    for (const saga of [id, other]) await two.engine.receive(replyTo(saga, 'flight.do'));
    expect(sentFor(id, one, two)).toEqual(['flight/do']);
    expect(sentFor(other, one, two)).toEqual(['flight/do', 'hotel/do']);
    expect(await sagaOf(id)).toMatchObject({ step: 'hotel', attempt: 0, held: { ...why, scope: 'step' } });
    expect(await listHolds(one.database, 'acme')).toEqual([{ ...hotel(), ...why, since: expect.any(Date), sagas: 1 }]);
    expect(await listHolds(one.database, 'rival')).toEqual([]);
  });

  it('R49 stops a saga that begins with it', async () => {
    await place({ ...hotel(), step: 'flight' });
    const id = await begin();
    expect(sentFor(id, one)).toEqual([]);
    expect(await sagaOf(id)).toMatchObject({ step: 'flight', attempt: 0, deadlineAt: null, held: why });
  });

  it('R49 lets its sagas go on at a pace when it is released, each once, though two replicas find them', async () => {
    await place();
    const ids = await Promise.all(Array.from({ length: 20 }, () => begin()));
    await Promise.all(ids.map((id) => reply(id, 'flight.do')));
    const releases = [one, two].map((each) => new HoldReleases({ ...each, perSecond: 1_000, intervalMs: 10 }));
    releases.forEach((each) => each.start());
    await end();
    await eventually(async () => expect(await heldNow()).toBe(0));
    await Promise.all(releases.map((each) => each.stop()));
    for (const id of ids) expect(sentFor(id, one, two)).toEqual(['flight/do', 'hotel/do']);
    expect((await pathOf(ids[0]!)).at(-1)).toBe('hold.released → hotel.do');
  });

  it('R49 does not repeat the command of a saga whose deadline passes, and takes its reply', async () => {
    const id = await begin();
    await reply(id, 'flight.do');
    await place();
    await expireOn(one, id);
    await two.deadlines.wake();
    expect(sentFor(id, one, two)).toEqual(['flight/do', 'hotel/do']);
    expect(await sagaOf(id)).toMatchObject({ attempt: 1, held: { scope: 'step' } });
    await reply(id, 'hotel.do');
    expect(sentFor(id, one, two).at(-1)).toBe('pay/do');
    expect((await sagaOf(id)).held).toBeNull();
  });

  it('R49 R9 does not stop a cancel, which undoes only what was sent', async () => {
    await place();
    const id = await begin();
    await reply(id, 'flight.do');
    await one.engine.dispatch(id, { type: 'cancel-requested', reason: 'rain' });
    expect(sentFor(id, one)).toEqual(['flight/do', 'flight/undo']);
    await reply(id, 'flight.undo');
    expect(await sagaOf(id)).toMatchObject({ status: 'compensated', held: null });
  });

  it('R49 lets one saga pass that an operator resumes', async () => {
    await place();
    const [id, behind] = [await begin(), await begin()];
    for (const saga of [id, behind]) await reply(saga, 'flight.do');
    await actOn(two, id, resume);
    expect(sentFor(id, one, two)).toEqual(['flight/do', 'hotel/do']);
    expect(sentFor(behind, one, two)).toEqual(['flight/do']);
  });

  it('R49 is held once, and keeps who held and who released it', async () => {
    expect([(await place()).created, (await place()).created]).toEqual([true, false]);
    await end();
    await end();
    expect((await place()).created).toBe(true);
    const rows = await one.database.query({
      name: 'test.holds',
      text: 'select held_by, reason, released_by from saga_hold order by id',
    });
    expect(rows).toEqual([
      { held_by: 'hugo', reason: 'repairs', released_by: 'otto' },
      { held_by: 'hugo', reason: 'repairs', released_by: null },
    ]);
  });

  it('R49 is known before a replica that starts moves its first saga, and after a read that fails', async () => {
    await place();
    const [three, holdsOfThree] = await open();
    await holdsOfThree.start();
    expect(holdsOfThree.of('acme', 'journey', 'hotel')).toEqual(why);
    await holdsOfThree.stop();
    await three.database.query({ name: 'test.break', text: 'alter table saga_hold rename to broken' });
    await expect(holdsOfThree.refresh()).rejects.toThrow();
    await three.database.query({ name: 'test.mend', text: 'alter table broken rename to saga_hold' });
    expect(holdsOfThree.of('acme', 'journey', 'hotel')).toEqual(why);
  });

  it('R49 a refusal of its command that was on its way turns the saga back', async () => {
    const id = await begin();
    await reply(id, 'flight.do');
    await place();
    await expireOn(one, id);
    await one.deadlines.wake();
    await reply(id, 'hotel.do', refused('full'));
    expect(await sagaOf(id)).toMatchObject({ status: 'compensating', step: 'flight', reason: 'full', held: null });
  });
});
