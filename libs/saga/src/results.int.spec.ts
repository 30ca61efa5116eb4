/** The results of replies reach the bodies of later commands, whichever replica drives the saga. */
import { defineCommand, type Reply } from '@shop/messaging';
import { eventually } from '@shop/testing';
import { type Journey, refused, replyTo } from '../testing/journey';
import { openReplica, type Replica } from '../testing/replica';
import { beginOn, expireOn, useSagaStack } from '../testing/sagas';
import { defineSaga, type Results, step } from './definition';
import type { OperatorEvent } from './saga-state';

const stack = useSagaStack();

/** Each command repeats the results of the steps so far. */
const action = (name: string) => ({
  command: defineCommand({ service: 'travel', name, version: 1, body: class {} }),
  body: (_: Journey, __: string, results: Results) => ({ told: results }),
});
const backoff = { firstMs: 60_000, factor: 2, maxMs: 600_000 };
const journey = defineSaga<Journey>('telling-journey', 1, [
  step('flight', { do: action('flight'), undo: action('cancel-flight'), deadline: { backoff } }),
  step('hotel', { do: action('hotel'), undo: action('cancel-hotel'), deadline: { backoff } }),
  step('pay', { do: action('pay'), pivot: true, deadline: { backoff } }),
]);

const replicas: Replica[] = [];
let one: Replica;
let two: Replica;

async function startReplica(): Promise<Replica> {
  const replica = await openReplica(stack.databaseUrl, { definitions: [journey] });
  replicas.push(replica);
  return replica;
}

beforeEach(async () => {
  one = await startReplica();
  two = await startReplica();
});
afterEach(async () => {
  await Promise.all(replicas.map(({ deadlines }) => deadlines.stop()));
  await Promise.all(replicas.splice(0).map(({ database }) => database.close()));
});

const seat = { seat: '12A' };
const room = { room: { floor: 3, number: 7 } };
const told = (result: Record<string, unknown>): Reply => ({ outcome: 'succeeded', result });

const begin = () => beginOn(one, journey);
/** The commands that were sent, as `[flight/do, its body]`. */
const saidBy = (id: string, ...from: Replica[]) =>
  from.flatMap(({ sent }) =>
    sent.flatMap(({ message }) => (message.subject === id ? [[message.id.slice(id.length + 1), message.data]] : [])),
  );
const keptOf = async (id: string): Promise<unknown> => {
  const [row] = await one.database.query<{ results: unknown }>(
    { name: 'test.results', text: 'select results from saga where id = $1' },
    [id],
  );
  return row!.results;
};

describe('what a step was told', () => {
  it('R1 is in the bodies of the commands behind it, each under the name of its step', async () => {
    const id = await begin();
    await one.engine.receive(replyTo(id, 'flight.do', told(seat)));
    await one.engine.receive(replyTo(id, 'hotel.do', told(room)));
    await one.engine.receive(replyTo(id, 'pay.do', told({ receipt: 1 })));
    expect(saidBy(id, one)).toEqual([
      ['flight/do', { told: {} }],
      ['hotel/do', { told: { flight: seat } }],
      ['pay/do', { told: { flight: seat, hotel: room } }],
    ]);
    expect(await keptOf(id)).toEqual({ flight: seat, hotel: room, pay: { receipt: 1 } });
  });

  it('R1 stays away when the reply told nothing', async () => {
    const id = await begin();
    await one.engine.receive(replyTo(id, 'flight.do'));
    await one.engine.receive(replyTo(id, 'hotel.do', told(room)));
    expect(saidBy(id, one).at(-1)).toEqual(['pay/do', { told: { hotel: room } }]);
    expect(await keptOf(id)).toEqual({ hotel: room });
  });

  it('R1 is known to the next reply of the same batch', async () => {
    const id = await begin();
    await Promise.all([
      one.engine.receive(replyTo(id, 'flight.do', told(seat))),
      one.engine.receive(replyTo(id, 'hotel.do', told(room))),
    ]);
    expect(saidBy(id, one).at(-1)).toEqual(['pay/do', { told: { flight: seat, hotel: room } }]);
    expect(await keptOf(id)).toEqual({ flight: seat, hotel: room });
  });

  it('R5 is known to a replica that did not hear it, and to one that was started afterwards', async () => {
    const id = await begin();
    await one.engine.receive(replyTo(id, 'flight.do', told(seat)));
    await two.engine.receive(replyTo(id, 'hotel.do', told(room)));
    const later = await startReplica();
    await later.engine.receive(replyTo(id, 'pay.do', refused('no_money')));
    expect(saidBy(id, two)).toEqual([['pay/do', { told: { flight: seat, hotel: room } }]]);
    expect(saidBy(id, later)).toEqual([['hotel/undo', { told: { flight: seat, hotel: room } }]]);
  });

  it('R5 is the same in a command that is sent again, by a deadline, an operator or another replica', async () => {
    const id = await begin();
    await one.engine.receive(replyTo(id, 'flight.do', told(seat)));
    await expireOn(one, id);
    two.deadlines.start();
    await eventually(() => expect(saidBy(id, two)).toHaveLength(1));
    await two.deadlines.stop();
    const retry: OperatorEvent = { type: 'operator', act: 'retry', by: 'olga' };
    await one.engine.dispatch(id, retry);
    const hotel = ['hotel/do', { told: { flight: seat } }];
    expect(saidBy(id, one, two)).toEqual([['flight/do', { told: {} }], hotel, hotel, hotel]);
  });

  it('R10 is what the first reply said, whatever a repeated one says', async () => {
    const id = await begin();
    await one.engine.receive(replyTo(id, 'flight.do', told(seat)));
    await one.engine.receive(replyTo(id, 'flight.do', told({ seat: '1B' })));
    await two.engine.receive(replyTo(id, 'flight.do', told({ seat: '1B' })));
    await two.engine.receive(replyTo(id, 'hotel.do'));
    expect(saidBy(id, two)).toEqual([['pay/do', { told: { flight: seat } }]]);
  });

  it('R2 does not count when a refusal or an undo has told it', async () => {
    const id = await begin();
    await one.engine.receive(replyTo(id, 'flight.do', told(seat)));
    await one.engine.receive(replyTo(id, 'hotel.do', told(room)));
    await one.engine.receive(replyTo(id, 'pay.do', { ...refused('no_money'), result: { receipt: 1 } }));
    await one.engine.receive(replyTo(id, 'hotel.undo', told({ room: 'free' })));
    await one.engine.receive(replyTo(id, 'flight.undo', told({ seat: 'free' })));
    const facts = { flight: seat, hotel: room };
    expect(saidBy(id, one).slice(-2)).toEqual([
      ['hotel/undo', { told: facts }],
      ['flight/undo', { told: facts }],
    ]);
    expect(await keptOf(id)).toEqual(facts);
  });

  it('R6 counts when it comes late to a saga that is parked', async () => {
    const id = await begin();
    await one.engine.receive(replyTo(id, 'flight.do', told(seat)));
    await one.engine.receive(replyTo(id, 'hotel.do', told(room)));
    await one.engine.receive(
      replyTo(id, 'pay.do', { ...refused('unreadable'), inDoubt: true, result: { receipt: 0 } }),
    );
    expect(await keptOf(id)).toEqual({ flight: seat, hotel: room });
    await two.engine.receive(replyTo(id, 'pay.do', told({ receipt: 1 })));
    expect(await keptOf(id)).toEqual({ flight: seat, hotel: room, pay: { receipt: 1 } });
  });
});
