/** Sagas that wait for somebody to act, in two replicas on one database. */
import type { Reply } from '@shop/messaging';
import { eventually } from '@shop/testing';
import { type Journey, journeyV1, refused, replyTo } from '../testing/journey';
import { openReplica, type Replica } from '../testing/replica';
import { beginOn, expireOn, sentFor, useSagaStack } from '../testing/sagas';
import type { SagaChange } from './decide-batch';
import { OpenSagas } from './open-sagas';
import { listSagas, openStatuses } from './saga-list';
import { countSagas, type SagaGroup } from './open-sagas.repository';
import { findSaga, type SagaView } from './saga.view';

const stack = useSagaStack();
const LINK = 'https://bank.example/confirm/secret';
const MINUTE_MS = 60_000;

const replicas: Replica[] = [];
let one: Replica;
let two: Replica;
let changes: SagaChange[];

async function open(options: Parameters<typeof openReplica>[1] = {}): Promise<Replica> {
  const replica = await openReplica(stack.databaseUrl, options);
  replicas.push(replica);
  return replica;
}

beforeEach(async () => {
  changes = [];
  one = await open({ onChange: (_, those) => changes.push(...those) });
  two = await open();
  await one.database.query({ name: 'test.clear', text: 'truncate saga, saga_history' });
});
afterEach(async () => {
  await Promise.all(replicas.map(({ deadlines }) => deadlines.stop()));
  await Promise.all(replicas.splice(0).map(({ database }) => database.close()));
});

const inMinutes = (minutes: number) => new Date(Date.now() + minutes * MINUTE_MS).toISOString();
const waiting = (until: string): Reply => ({
  outcome: 'waiting',
  waiting: { until, for: 'customer', action: { type: 'redirect', url: LINK, expiresAt: until } },
});
const begin = () => beginOn(one, journeyV1, { traveller: 'Ada', tenant: 'acme' } as Journey);
const sagaOf = async (id: string): Promise<SagaView> => (await findSaga(one.database, id))!;
const pathOf = async (id: string) => (await sagaOf(id)).history.map(({ event, to }) => `${event} → ${to}`);

/** A saga whose flight waits for the customer. */
async function beginAndWait(until = inMinutes(15)): Promise<string> {
  const id = await begin();
  await one.engine.receive(replyTo(id, 'flight.do', waiting(until)));
  return id;
}

describe('a saga whose command is answered with waiting', () => {
  it('R5 stays at its step until the time in the reply, and shows for whom and until when', async () => {
    const until = inMinutes(15);
    const id = await beginAndWait(until);
    expect(await sagaOf(id)).toMatchObject({
      status: 'running',
      step: 'flight',
      action: 'do',
      attempt: 0,
      waiting: { until, for: 'customer' },
    });
    const { deadlineAt, history } = await sagaOf(id);
    expect(new Date(deadlineAt!).getTime()).toBeGreaterThanOrEqual(Date.parse(until));
    expect(history.at(-1)).toMatchObject({ event: 'do.waiting', from: 'flight.do', to: 'flight.do' });
    const { items } = await listSagas(one.database, { tenant: 'acme', statuses: openStatuses, limit: 10 });
    const [listed] = items;
    expect(listed).toMatchObject({ id, waiting: { until, for: 'customer' } });
  });

  it.each<[string, number, string]>([
    ['is over', -60, `interval '0'`],
    ['is longer away than anybody waits', 60 * 24 * 365, `interval '8 days'`],
  ])('R5 R45 waits within bounds, by the clock of the database, when the time %s', async (_, minutes, about) => {
    const id = await beginAndWait(inMinutes(minutes));
    const [row] = await one.database.query<{ near: boolean }>(
      {
        name: `test.deadline ${about}`,
        text: `select abs(extract(epoch from deadline_at - updated_at - ${about})) <= 6 as near from saga where id = $1`,
      },
      [id],
    );
    expect(row).toEqual({ near: true });
  });

  it('R48 tells those who are told of the change what the customer has to do, and no log and no row of its own', async () => {
    const id = await beginAndWait();
    expect(changes.map(({ nextAction }) => nextAction)).toEqual([expect.objectContaining({ url: LINK })]);
    const rows = await one.database.query<{ text: string }>({
      name: 'test.rows',
      text: `select s::text || h::text as text from saga s join saga_history h on h.saga_id = s.id`,
    });
    expect(JSON.stringify([rows, one.log, one.sent, await sagaOf(id)])).not.toContain('bank.example');
  });

  it('R5 sends the same command again when there is news, in whichever replica, and goes on with its reply', async () => {
    const id = await beginAndWait();
    await two.engine.hear(`${id}/flight/do`, 'acme');
    expect(sentFor(id, one, two)).toEqual(['flight/do', 'flight/do']);
    expect(await sagaOf(id)).toMatchObject({ attempt: 1, waiting: undefined });
    await one.engine.receive(replyTo(id, 'flight.do'));
    expect(await pathOf(id)).toEqual([
      'started → flight.do',
      'do.waiting → flight.do',
      'hinted → flight.do',
      'do.succeeded → hotel.do',
    ]);
  });

  it('R10 moves once for news that comes twice, to two replicas at once', async () => {
    const id = await beginAndWait();
    await Promise.all([one, two, one, two].map(({ engine }) => engine.hear(`${id}/flight/do`, 'acme')));
    expect(sentFor(id, one, two)).toEqual(['flight/do', 'flight/do']);
  });

  it.each<[string, (id: string) => [string, string]]>([
    ['of another tenant', (id) => [`${id}/flight/do`, 'rival']],
    ['of another step', (id) => [`${id}/hotel/do`, 'acme']],
    ['of a step that it has not', (id) => [`${id}/cruise/do`, 'acme']],
    ['of an unknown saga', () => ['00000000-0000-7000-8000-00000000dead/flight/do', 'acme']],
    ['of no command', () => ["'; drop table saga; --", 'acme']],
  ])('R10 takes no notice of news %s', async (_, news) => {
    const id = await beginAndWait();
    await two.engine.hear(...news(id));
    expect(sentFor(id, one, two)).toEqual(['flight/do']);
    expect(await sagaOf(id)).toMatchObject({ attempt: 0, waiting: { for: 'customer' } });
  });

  it('R10 asks again when the news was faster than the reply that says waiting', async () => {
    const id = await begin();
    await two.engine.hear(`${id}/flight/do`, 'acme');
    expect(sentFor(id, one, two)).toEqual(['flight/do']);
    await one.engine.receive(replyTo(id, 'flight.do', waiting(inMinutes(15))));
    expect(sentFor(id, one, two)).toEqual(['flight/do', 'flight/do']);
    expect(await sagaOf(id)).toMatchObject({ attempt: 1, waiting: undefined });
    expect(changes.at(-1)!.nextAction).toBeUndefined();
  });

  it('R5 asks again after the time without any news, also when its replica was started meanwhile', async () => {
    const id = await beginAndWait();
    await Promise.all(replicas.splice(0).map(({ database }) => database.close()));
    one = await open();
    await expireOn(one, id);
    one.deadlines.start();
    await eventually(() => expect(sentFor(id, one)).toEqual(['flight/do']));
    expect(await sagaOf(id)).toMatchObject({ attempt: 1, waiting: undefined });
  });

  it('R5 undoes the step when the participant has fallen silent, after the whole budget', async () => {
    const id = await beginAndWait();
    for (const sent of [2, 3, 4]) {
      await expireOn(one, id);
      await one.deadlines.wake();
      expect(sentFor(id, one)).toHaveLength(sent);
    }
    expect(sentFor(id, one)).toEqual(['flight/do', 'flight/do', 'flight/do', 'flight/undo']);
    expect(await sagaOf(id)).toMatchObject({ status: 'compensating', reason: 'timed_out' });
  });

  it('R9 turns round at once when it is cancelled, and hears nothing of its step any more', async () => {
    const id = await beginAndWait();
    await two.engine.dispatch(id, { type: 'cancel-requested', reason: 'rain' });
    await one.engine.receive(replyTo(id, 'flight.do', waiting(inMinutes(20))));
    await one.engine.receive(replyTo(id, 'flight.do'));
    await one.engine.receive(replyTo(id, 'flight.undo'));
    expect(await sagaOf(id)).toMatchObject({ status: 'compensated', reason: 'rain', waiting: undefined });
    expect(sentFor(id, one, two)).toEqual(['flight/do', 'flight/undo']);
  });

  it('R2 turns back when the wait ends with a refusal', async () => {
    const id = await beginAndWait();
    await one.engine.hear(`${id}/flight/do`, 'acme');
    await one.engine.receive(replyTo(id, 'flight.do', refused('payment_expired')));
    expect(await sagaOf(id)).toMatchObject({ status: 'compensated', reason: 'payment_expired' });
  });

  it('R8 is a saga like any other when a release that does not know the column has asked again', async () => {
    const id = await beginAndWait();
    await one.database.query(
      { name: 'test.old', text: 'update saga set attempt = 1, version = version + 1 where id = $1' },
      [id],
    );
    expect(await sagaOf(id)).toMatchObject({ attempt: 1, waiting: undefined });
    await two.engine.dispatch(id, { type: 'operator', act: 'retry', by: 'olga' });
    expect(await sagaOf(id)).toMatchObject({ attempt: 2, waiting: undefined });
  });
});

describe('R45 sagas that wait', () => {
  it('R45 take no room at the door, and are counted by themselves', async () => {
    const [id] = [await beginAndWait(), await begin()];
    const counted = new OpenSagas({ database: one.database, logger: one.logger, intervalMs: 20 });
    counted.start();
    await eventually(() => expect([counted.total, counted.of('acme')]).toEqual([1, 1]));
    await counted.stop();
    const statuses = (groups: SagaGroup[]) => groups.map(({ status, sagas }) => `${sagas} ${status}`).sort();
    expect(statuses(await countSagas(one.database))).toEqual(['1 running', '1 waiting']);
    await one.engine.hear(`${id}/flight/do`, 'acme');
    expect(statuses(await countSagas(one.database))).toEqual(['2 running']);
  });

  it('R45 give their room back at once, and take it again when they go on', async () => {
    const counted = new OpenSagas({ database: one.database, logger: one.logger });
    const replica = await open({ open: counted });
    const id = await beginOn(replica, journeyV1, { traveller: 'Ada', tenant: 'acme' } as Journey);
    let told = 0;
    counted.onFewer(() => told++);
    await replica.engine.receive(replyTo(id, 'flight.do', waiting(inMinutes(15))));
    expect([counted.total, counted.of('acme'), counted.begun, told]).toEqual([0, 0, 0, 1]);
    await replica.engine.hear(`${id}/flight/do`, 'acme');
    expect([counted.total, counted.of('acme'), counted.begun]).toEqual([1, 1, 0]);
  });
});
