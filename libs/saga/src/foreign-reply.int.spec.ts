/** A reply moves a saga only when it comes from the service that the saga has asked. */
import { replyTo, journeyV1 } from '../testing/journey';
import { openReplica, type Replica } from '../testing/replica';
import { beginOn, useSagaStack } from '../testing/sagas';
import { findSaga } from './saga.view';

const stack = useSagaStack();

let replica: Replica;
beforeEach(async () => {
  replica = await openReplica(stack.databaseUrl, {});
});
afterEach(async () => {
  await replica.deadlines.stop();
  await replica.database.close();
});

const pathOf = async (id: string) => (await findSaga(replica.database, id))!.history.map(({ to }) => to);

describe('R64 a reply', () => {
  it.each(['do', 'undo'])('R64 to the %s of a step from a service that was not asked moves nothing', async (action) => {
    const id = await beginOn(replica, journeyV1);
    if (action === 'undo') {
      await replica.engine.receive(replyTo(id, 'flight.do'));
      await replica.engine.receive(replyTo(id, 'hotel.do', { outcome: 'refused', reason: 'hotel_full' }));
    }
    const before = await pathOf(id);
    const reply = replyTo(id, `flight.${action}`);
    for (const source of ['weather', 'travel.x', 'TRAVEL', 'order']) await replica.engine.receive({ ...reply, source });
    expect(await pathOf(id)).toEqual(before);
    expect(replica.log.at(-1)).toMatchObject({ event: 'saga.event.ignored', reason: 'foreign' });
    await replica.engine.receive(reply);
    expect(await pathOf(id)).toHaveLength(before.length + 1);
  });
});
