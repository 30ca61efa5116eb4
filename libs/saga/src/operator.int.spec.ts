import { randomUUID } from 'node:crypto';
import pino from 'pino';
import { type Journey, journeyV1, refused, replyTo } from '../testing/journey';
import { openReplica, type Replica } from '../testing/replica';
import { actOn, beginOn, useSagaStack } from '../testing/sagas';
import { eraseSagas } from './erase-sagas';
import type { OperatorEvent } from './saga-state';
import { findSaga } from './saga.view';

const stack = useSagaStack();

let one: Replica;
let two: Replica;

beforeEach(async () => {
  one = await openReplica(stack.databaseUrl);
  two = await openReplica(stack.databaseUrl);
  await one.database.query({ name: 'test.clear', text: 'truncate saga, saga_history' });
});
afterEach(async () => {
  await Promise.all([one, two].map(({ database }) => database.close()));
});

const retry: OperatorEvent = { type: 'operator', act: 'retry', by: 'olga', reason: 'the airline is back' };
const skip: OperatorEvent = { type: 'operator', act: 'skip', by: 'olga', reason: 'called them' };

const begin = (replica: Replica, data?: object) => beginOn(replica, journeyV1, data as Journey | undefined);

async function park({ engine }: Replica, id: string): Promise<void> {
  await engine.dispatch(id, { type: 'cancel-requested', reason: 'rain' });
  await engine.receive(replyTo(id, 'flight.undo', refused('too_late')));
}

const sentBy = ({ sent }: Replica) => sent.map(({ message }) => message.id.split('/').slice(1).join('.'));
const pathOf = async (id: string) =>
  (await findSaga(one.database, id))!.history.map(({ event, to }) => `${event} → ${to}`);

describe('R6 an operator’s act', () => {
  it('R6 leaves its command after the commit, and lines in history and log that say who and when; why is in the history', async () => {
    const id = await begin(one);
    await park(one, id);
    await actOn(one, id, retry);
    expect(sentBy(one)).toEqual(['flight.do', 'flight.undo', 'flight.undo']);
    expect((await findSaga(one.database, id))!.history.at(-1)).toMatchObject({
      at: expect.any(String),
      event: 'operator.retry',
      from: 'parked',
      to: 'flight.undo',
      detail: { by: 'olga', reason: 'the airline is back' },
    });
    expect(one.log.at(-1)).toMatchObject({
      event: 'saga.operator.retry',
      level: pino.levels.values['info'],
      sagaId: id,
      traveller: 'Ada',
      by: 'olga',
      from: 'parked',
      to: 'flight.undo',
    });
    // A log cannot be erased, and people write names.
    expect(JSON.stringify(one.log)).not.toContain('the airline is back');
  });

  it('R26 keeps its place in the history when what was written about it, and then who it was, is erased', async () => {
    const id = await begin(one);
    await park(one, id);
    await actOn(one, id, retry);
    await actOn(one, id, { type: 'operator', act: 'retry', by: 'olga' });
    const details = async () => (await findSaga(one.database, id))!.history.slice(-2).map(({ detail }) => detail);
    const erase = (names: boolean) =>
      one.database.transaction((tx) => eraseSagas(tx, [id], { definitions: [journeyV1], names }));
    expect([await erase(false), await erase(false)]).toEqual([1, 0]);
    expect(await details()).toEqual([{ by: 'olga', reason: 'erased' }, { by: 'olga' }]);
    expect([await erase(true), await erase(true)]).toEqual([2, 0]);
    expect(await details()).toEqual([{ by: 'erased', reason: 'erased' }, { by: 'erased' }]);
    expect(await pathOf(id)).toHaveLength(5);
  });

  it('R6 sends nothing and changes nothing when the transaction around it fails', async () => {
    const id = await begin(one);
    await park(one, id);
    const before = await findSaga(one.database, id);
    const work = one.database.transaction(async (tx) => {
      await one.engine.decideIn(tx, id, retry);
      throw new Error('no answer could be stored');
    });
    await expect(work).rejects.toThrow('no answer could be stored');
    expect(await findSaga(one.database, id)).toEqual(before);
    expect(sentBy(one)).toEqual(['flight.do', 'flight.undo']);
    expect(await actOn(one, id, retry)).toBeUndefined();
    expect(sentBy(one)).toEqual(['flight.do', 'flight.undo', 'flight.undo']);
  });

  it('R11 is decided on the saga as it is, whatever this replica remembers of it', async () => {
    const id = await begin(one);
    await two.engine.receive(replyTo(id, 'flight.do'));
    expect(await actOn(one, id, retry)).toBeUndefined();
    expect((await findSaga(one.database, id))!.history.at(-1)).toMatchObject({ from: 'hotel.do', to: 'hotel.do' });
    expect(sentBy(one)).toEqual(['flight.do', 'hotel.do']);
  });

  it('R11 is not overwritten by a replica that remembers the saga as it was before', async () => {
    const id = await begin(one);
    await actOn(two, id, { type: 'operator', act: 'cancel', by: 'olga' });
    await one.engine.receive(replyTo(id, 'flight.do'));
    expect(await pathOf(id)).toEqual(['started → flight.do', 'operator.cancel → flight.undo']);
    await one.engine.receive(replyTo(id, 'flight.undo'));
    expect(await findSaga(one.database, id)).toMatchObject({ status: 'compensated', reason: 'cancelled_by_operator' });
  });

  it('R11 comes once of many at the same time', async () => {
    const id = await begin(one);
    await park(one, id);
    const all = await Promise.all([one, two, one, two].map((replica) => actOn(replica, id, skip)));
    expect(all.filter((notMoved) => notMoved === undefined)).toHaveLength(1);
    expect(all.filter((notMoved) => notMoved === 'ended')).toHaveLength(3);
    expect(await pathOf(id)).toEqual([
      'started → flight.do',
      'cancel.requested → flight.undo',
      'undo.refused → parked',
      'operator.skip → compensated',
    ]);
  });

  it('R5 makes no deadline fire that was meant for the attempt before it', async () => {
    const id = await begin(one);
    await actOn(one, id, retry);
    await one.engine.dispatch(id, { type: 'deadline-passed', step: 'flight', action: 'do', attempt: 1 });
    expect(await pathOf(id)).toEqual(['started → flight.do', 'operator.retry → flight.do']);
  });

  it('R6 on a saga that nobody knows is told so', async () => {
    expect(await actOn(one, randomUUID(), retry)).toBe('unknown-saga');
  });

  it('R6 cries out once for a saga that is parked, not again for what is done with it', async () => {
    const pay = { outcome: 'refused', reason: 'unreadable', inDoubt: true } as const;
    const id = await begin(one);
    for (const name of ['flight', 'hotel']) await one.engine.receive(replyTo(id, `${name}.do`));
    await one.engine.receive(replyTo(id, 'pay.do', pay));
    await actOn(one, id, { type: 'operator', act: 'cancel', by: 'olga' });
    const errors = one.log.filter(({ level }) => level === pino.levels.values['error']);
    expect(errors.map(({ event }) => event)).toEqual(['saga.do.refused']);
    expect(one.log.at(-1)).toMatchObject({ event: 'saga.operator.cancel', from: 'parked', to: 'parked' });
  });
});
