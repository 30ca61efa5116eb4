import { randomUUID } from 'node:crypto';
import { newTraceparent } from '@shop/observability';
import { traffic, type Tx } from '@shop/postgres';
import { eventually, seededRandom, setClockAhead } from '@shop/testing';
import pino from 'pino';
import { type Journey, journeyV1, refused, replyTo } from '../testing/journey';
import { openReplica, type Replica } from '../testing/replica';
import { beginOn, expireOn, useSagaStack } from '../testing/sagas';
import type { SagaChange } from './decide-batch';
import type { SagaEngineOptions } from './saga.engine';
import { findSaga, type SagaView } from './saga.view';

const stack = useSagaStack();

const replicas: Replica[] = [];

async function startReplica(options: Partial<SagaEngineOptions> = {}): Promise<Replica> {
  const replica = await openReplica(stack.databaseUrl, options);
  replicas.push(replica);
  return replica;
}

type Sent = Replica['sent'][number];
let one: Replica;
let two: Replica;

beforeEach(async () => {
  one = await startReplica();
  two = await startReplica();
  await one.database.query({ name: 'test.clear', text: 'truncate saga, saga_history' });
});
afterEach(async () => {
  await Promise.all(replicas.map(({ deadlines }) => deadlines.stop()));
  await Promise.all(replicas.splice(0).map(({ database }) => database.close()));
});

const begin = (replica: Replica, data?: Journey, definition = journeyV1) => beginOn(replica, definition, data);

const sagaOf = async (id: string): Promise<SagaView> => (await findSaga(one.database, id))!;
const pathOf = async (id: string) => (await sagaOf(id)).history.map(({ event, to }) => `${event} → ${to}`);
const sentFor = (id: string, ...from: Replica[]) =>
  from.flatMap(({ sent }) => sent.filter(({ message }) => message.subject === id).map(({ message }) => message.id));
const expire = (...ids: string[]) => expireOn(one, ...ids);

describe('a saga', () => {
  it('R1 goes from its start to its end, each reply bringing the next command', async () => {
    const id = await begin(one);
    for (const name of ['flight', 'hotel', 'pay']) await one.engine.receive(replyTo(id, `${name}.do`));
    expect(await pathOf(id)).toEqual([
      'started → flight.do',
      'do.succeeded → hotel.do',
      'do.succeeded → pay.do',
      'do.succeeded → completed',
    ]);
    expect(await sagaOf(id)).toMatchObject({
      definition: 'journey',
      version: 1,
      status: 'completed',
      deadlineAt: null,
    });
    expect(one.sent.map(({ mailbox, message }) => [mailbox, message.type, message.id])).toEqual([
      ['cmd.travel', 'travel.flight.v1', `${id}/flight/do`],
      ['cmd.travel', 'travel.hotel.v1', `${id}/hotel/do`],
      ['cmd.travel', 'travel.pay.v1', `${id}/pay/do`],
    ]);
    expect(one.sent[0]!.message).toMatchObject({
      source: 'journeys',
      subject: id,
      replyto: 'reply.journeys',
      data: { traveller: 'Ada' },
    });
  });

  it('R3 names in each undo the command that it undoes, and carries one trace through all', async () => {
    const id = await begin(one);
    await one.engine.receive(replyTo(id, 'flight.do'));
    await one.engine.receive(replyTo(id, 'hotel.do', refused('hotel_full')));
    await one.engine.receive(replyTo(id, 'flight.undo'));
    expect(await sagaOf(id)).toMatchObject({ status: 'compensated', reason: 'hotel_full' });
    expect(one.sent.map(({ message }) => message.undoes)).toEqual([undefined, undefined, `${id}/flight/do`]);
    expect(new Set(one.sent.map(({ message }) => message.traceparent)).size).toBe(1);
  });

  it('R48 writes a log line for each row of its history, with the same content', async () => {
    const id = await begin(one, { traveller: 'Grace' });
    await one.engine.receive(replyTo(id, 'flight.do', { outcome: 'succeeded', result: { seat: '12A' } }));
    await expire(id);
    one.deadlines.start();
    await eventually(async () => expect((await sagaOf(id)).attempt).toBe(2));
    await one.engine.dispatch(id, { type: 'cancel-requested', reason: 'rain' });
    await one.engine.receive(replyTo(id, 'hotel.undo'));
    await one.engine.receive(replyTo(id, 'flight.undo', refused('unknown_command')));
    const { history } = await sagaOf(id);
    const [, traceId, spanId] = one.sent[0]!.message.traceparent!.split('-');
    const lines = one.log.filter(({ sagaId }) => sagaId === id).filter(({ event }) => event !== 'saga.event.ignored');
    expect(lines).toEqual(
      history.map(({ seq, event, step, from, to, attempt, detail }) => ({
        ...(detail as object),
        level: to === 'parked' ? pino.levels.values['error'] : pino.levels.values['info'],
        time: expect.any(Number),
        pid: expect.any(Number),
        hostname: expect.any(String),
        event: `saga.${event}`,
        saga: 'journey',
        sagaId: id,
        traveller: 'Grace',
        traceId,
        spanId,
        seq,
        step,
        from,
        to,
        attempt,
        durationMs: expect.any(Number),
      })),
    );
    expect(history.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(history.at(-1)).toMatchObject({ to: 'parked', detail: { reason: 'unknown_command' } });
  });

  it('R48 tells how long a step took, by the clock of the database, whatever the clock of the process says', async () => {
    const id = await begin(one);
    await one.database.query({
      name: 'test.age',
      text: `update saga set updated_at = now() - interval '1 minute'`,
    });
    const putRight = setClockAhead(2 * 24 * 3_600_000);
    // The other replica does not remember the saga, so it reads the row.
    await two.engine.receive(replyTo(id, 'flight.do'));
    putRight();
    const { durationMs } = two.log.find(({ sagaId, seq }) => sagaId === id && seq === 2)!;
    // A minute, and not two days.
    expect(durationMs).toBeGreaterThanOrEqual(60_000);
    expect(durationMs).toBeLessThan(3_600_000);
  });

  it('R48 lets no reply speak over the fields of its log line', async () => {
    const id = await begin(one);
    const result = { sagaId: 'another', step: 'lie', to: 'completed', seq: 99, attempt: 7, traveller: 'Eve' };
    await one.engine.receive(replyTo(id, 'flight.do', { outcome: 'succeeded', result }));
    expect(one.log.at(-1)).toMatchObject({
      sagaId: id,
      traveller: 'Ada',
      step: 'flight',
      to: 'hotel.do',
      seq: 2,
      attempt: 1,
    });
  });

  it('R48 lets no reply fill its log line with fields, names and texts without end', async () => {
    const id = await begin(one);
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`field${index}`, 'x'.repeat(600)]));
    const result = { level: 'fatal', service: 'payment', time: 'yesterday', event: 'all.well', 'a\nb': 1, ...many };
    await one.engine.receive(replyTo(id, 'flight.do', { outcome: 'succeeded', result }));
    const line = one.log.at(-1)!;
    expect(line).toMatchObject({ event: 'saga.do.succeeded', sagaId: id, to: 'hotel.do', leftOut: 495 });
    expect(line['service']).toBeUndefined();
    expect(JSON.stringify(line).length).toBeLessThan(10_000);
  });

  it('R1 begins only when the transaction that began it commits', async () => {
    const id = randomUUID();
    const saga = { id, definition: journeyV1, data: { traveller: 'Ada' }, traceparent: newTraceparent() };
    const work = one.database.transaction(async (tx) => {
      one.engine.begin(tx, [saga]);
      throw new Error('no order after all');
    });
    await expect(work).rejects.toThrow('no order after all');
    expect(await findSaga(one.database, id)).toBeUndefined();
    expect(one.sent).toEqual([]);
    expect(one.log).toEqual([]);
  });
});

describe('the replica that waits for the reply', () => {
  const namesIn = (...from: Replica[]) =>
    from.flatMap(({ sent }) => sent.map(({ message }) => message.replica ?? 'nobody'));

  it('is named in each command that is sent for the first time, by who sends it', async () => {
    const id = await begin(one);
    await one.engine.receive(replyTo(id, 'flight.do'));
    await two.engine.receive(replyTo(id, 'hotel.do', refused('hotel_full')));
    expect(sentFor(id, one, two)).toEqual([`${id}/flight/do`, `${id}/hotel/do`, `${id}/flight/undo`]);
    expect(namesIn(one, two)).toEqual([one.name, one.name, two.name]);
  });

  it('R46 is not named in what is sent again: that reply is kept, and its deliveries are counted', async () => {
    const id = await begin(one);
    await expire(id);
    two.deadlines.start();
    await eventually(() => expect(namesIn(two)).toEqual(['nobody']));
    await one.engine.dispatch(id, { type: 'operator', act: 'retry', by: 'olga', reason: 'it is back' });
    expect(namesIn(one)).toEqual([one.name, 'nobody']);
    expect(sentFor(id, one, two)).toEqual(Array(3).fill(`${id}/flight/do`));
    await one.engine.receive(replyTo(id, 'flight.do'));
    expect(namesIn(one)).toEqual([one.name, 'nobody', one.name]);
  });
});

describe('R10 replies that come twice, late, or out of order', () => {
  const steps = ['flight', 'hotel', 'pay'];
  const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
  const random = seededRandom(seed);

  it(`R10 move each saga once, when they come in one batch (seed ${seed})`, async () => {
    const ids = await Promise.all(Array.from({ length: 20 }, () => begin(one)));
    for (const [round, name] of steps.entries()) {
      const replies = ids.flatMap((id) => [name, name, ...steps.slice(0, round)].map((of) => replyTo(id, `${of}.do`)));
      await Promise.all(random.shuffle(replies).map((reply) => one.engine.receive(reply)));
    }
    await expectEachDoneOnce(ids, one);
  });

  it(`R10 move each saga once, when they come to two replicas in batches of all sizes (seed ${seed})`, async () => {
    const ids = await Promise.all(Array.from({ length: 20 }, () => begin(one)));
    for (const [round, name] of steps.entries()) {
      const replies = random.shuffle(
        ids.flatMap((id) => [name, name, name, ...steps.slice(0, round)].map((of) => replyTo(id, `${of}.do`))),
      );
      while (replies.length > 0) {
        const batch = replies.splice(0, 1 + random.int(40));
        await Promise.all(batch.map((reply) => random.pick([one, two]).engine.receive(reply)));
      }
    }
    await expectEachDoneOnce(ids, one, two);
  });

  async function expectEachDoneOnce(ids: string[], ...from: Replica[]): Promise<void> {
    for (const id of ids) {
      const { status, history } = await sagaOf(id);
      expect(status).toBe('completed');
      expect(history.map(({ seq, to }) => [seq, to])).toEqual([
        [1, 'flight.do'],
        [2, 'hotel.do'],
        [3, 'pay.do'],
        [4, 'completed'],
      ]);
      expect(sentFor(id, ...from).sort()).toEqual(steps.map((name) => `${id}/${name}/do`));
    }
  }

  it('R7 are decided in the order of their arrival, also within one batch', async () => {
    const commits: number[] = [];
    const onChange = (tx: Tx, changes: readonly SagaChange[]) => tx.afterCommit(() => commits.push(changes.length));
    const replica = await startReplica({ onChange });
    const id = await begin(replica);
    await Promise.all([
      replica.engine.receive(replyTo(id, 'flight.do')),
      replica.engine.receive(replyTo(id, 'flight.do')),
      replica.engine.dispatch(id, { type: 'cancel-requested', reason: 'rain' }),
      replica.engine.receive(replyTo(id, 'hotel.do')),
    ]);
    // Both moves were in one transaction. So no member ran again alone.
    expect(commits).toEqual([2]);
    expect(await pathOf(id)).toEqual([
      'started → flight.do',
      'do.succeeded → hotel.do',
      'cancel.requested → hotel.undo',
    ]);
    expect(await sagaOf(id)).toMatchObject({ status: 'compensating', step: 'hotel', reason: 'rain' });
  });

  it.each([
    ['without a cause', { causationid: undefined }],
    ['with a cause that is no text', { causationid: 5 as unknown as string }],
    ['with a list for a cause', { causationid: [] as unknown as string }],
    ['to a command that is none of ours', { causationid: 'not-a-saga/flight/do' }],
    ['to something else', { causationid: `${randomUUID()}/flight/redo` }],
    ['without an outcome', { data: {} }],
    ['with an outcome nobody knows', { data: { outcome: 'perhaps' } }],
    ['with an endless reason', { data: { outcome: 'refused', reason: 'x'.repeat(101) } }],
  ])('R46 are dropped when they come %s, and hold nothing up', async (_, strange) => {
    const id = await begin(one);
    const reply = replyTo(id, 'flight.do');
    await Promise.all([one.engine.receive({ ...reply, ...strange }), one.engine.receive(reply)]);
    expect((await sagaOf(id)).step).toBe('hotel');
    expect(one.log.map(({ event }) => event)).toContain('saga.reply.unreadable');
  });

  it('R45 all find room, as many as the broker may hand out at once', async () => {
    const id = await begin(one);
    const replies = Array.from({ length: 5_000 }, () => one.engine.receive(replyTo(id, 'flight.do')));
    await Promise.all(replies);
    expect(await pathOf(id)).toEqual(['started → flight.do', 'do.succeeded → hotel.do']);
  });

  it('R10 are dropped when nobody knows their saga', async () => {
    await one.engine.receive(replyTo(randomUUID(), 'flight.do'));
    expect(one.log.at(-1)).toMatchObject({ event: 'saga.event.ignored', reason: 'unknown-saga' });
  });
});

describe('R11 a replica whose memory of a saga is old', () => {
  it('R11 makes no transition a second time, though the reply fits what it remembers', async () => {
    const id = await begin(one);
    await two.engine.receive(replyTo(id, 'flight.do'));
    await one.engine.receive(replyTo(id, 'flight.do'));
    expect(await pathOf(id)).toEqual(['started → flight.do', 'do.succeeded → hotel.do']);
    expect(sentFor(id, one, two)).toEqual([`${id}/flight/do`, `${id}/hotel/do`]);
  });

  it('R11 looks a reply up that does not fit what it remembers, instead of dropping it', async () => {
    const id = await begin(one);
    await two.engine.receive(replyTo(id, 'flight.do'));
    await one.engine.receive(replyTo(id, 'hotel.do'));
    await two.engine.receive(replyTo(id, 'pay.do'));
    expect(await sagaOf(id)).toMatchObject({ status: 'completed' });
  });

  it('R11 takes the other sagas of its batch along when one of them was moved elsewhere', async () => {
    const ids = [await begin(one), await begin(one), await begin(one)];
    await two.engine.receive(replyTo(ids[1]!, 'flight.do'));
    await Promise.all(ids.map((id) => one.engine.receive(replyTo(id, 'flight.do'))));
    for (const id of ids) expect(await pathOf(id)).toEqual(['started → flight.do', 'do.succeeded → hotel.do']);
  });

  it('R45 reads nothing of a saga that it remembers, and writes its transition in one round trip', async () => {
    const id = await begin(one);
    const before = traffic.roundTrips;
    await one.engine.receive(replyTo(id, 'flight.do'));
    expect(traffic.roundTrips - before).toBe(1);
  });
});

describe('R5 a deadline', () => {
  it('R5 that has passed sends the same command again and waits longer', async () => {
    const id = await begin(one);
    await expire(id);
    one.deadlines.start();
    await eventually(() => expect(one.sent).toHaveLength(2));
    const [{ mailbox, message }, again] = one.sent as [Sent, Sent];
    // Only the way of its reply is different: from now on, it is the durable mailbox.
    expect(again).toEqual({ mailbox, message: { ...message, replica: undefined } });
    const { attempt, deadlineAt } = await sagaOf(id);
    expect(attempt).toBe(2);
    const leftMs = Date.parse(deadlineAt!) - Date.now();
    expect(leftMs).toBeGreaterThan(110_000);
    expect(leftMs).toBeLessThanOrEqual(120_500);
  });

  it('R5 fires once, with two replicas on one database', async () => {
    const ids = await Promise.all(Array.from({ length: 30 }, () => begin(one)));
    await expire(...ids);
    for (const { deadlines } of [one, two]) deadlines.start();
    await eventually(async () => {
      for (const id of ids) expect((await sagaOf(id)).attempt).toBe(2);
    });
    // After this, their last rounds are over, and so is everything that they may have done twice.
    await Promise.all([one.deadlines.stop(), two.deadlines.stop()]);
    for (const id of ids) {
      expect(await pathOf(id)).toEqual(['started → flight.do', 'deadline.passed → flight.do']);
      expect(sentFor(id, one, two)).toEqual([`${id}/flight/do`, `${id}/flight/do`]);
    }
  });

  it('R5 survives the replica that set it', async () => {
    const id = await begin(one);
    await expire(id);
    two.deadlines.start();
    await eventually(() => expect(sentFor(id, two)).toEqual([`${id}/flight/do`]));
  });

  it('R5 past the budget turns the saga round before the pivot', async () => {
    const id = await begin(one);
    one.deadlines.start();
    for (const attempt of [1, 2]) {
      await eventually(async () => expect((await sagaOf(id)).attempt).toBe(attempt));
      await expire(id);
    }
    await eventually(async () =>
      expect(await sagaOf(id)).toMatchObject({ status: 'compensating', step: 'flight', reason: 'timed_out' }),
    );
  });

  it('R10 brings a command out that the broker did not take', async () => {
    one.broker.away = true;
    const id = await begin(one);
    one.broker.away = false;
    await expire(id);
    one.deadlines.start();
    await eventually(() => expect(sentFor(id, one)).toEqual([`${id}/flight/do`]));
  });

  it('R9 stays as it is when a cancel comes while the pivot is on its way', async () => {
    const id = await begin(one);
    await one.engine.receive(replyTo(id, 'flight.do'));
    await one.engine.receive(replyTo(id, 'hotel.do'));
    const before = await sagaOf(id);
    await one.engine.dispatch(id, { type: 'cancel-requested', reason: 'rain' });
    const after = await sagaOf(id);
    expect(after.deadlineAt).toBe(before.deadlineAt);
    expect(after.deadlineAt).not.toBeNull();
    expect(after.history.at(-1)).toMatchObject({ event: 'cancel.requested', from: 'pay.do', to: 'pay.do' });
    expect(sentFor(id, one)).toHaveLength(3);
    await one.engine.receive(replyTo(id, 'pay.do'));
    const cancelled = { name: 'test.cancelled', text: 'select status, cancel_requested from saga where id = $1' };
    expect(await one.database.query(cancelled, [id])).toEqual([{ status: 'completed', cancel_requested: true }]);
  });

  it('R9 is that of the pivot when the cancel comes in one batch with the reply that sends the pivot', async () => {
    const id = await begin(one);
    await one.engine.receive(replyTo(id, 'flight.do'));
    await expire(id);
    await Promise.all([
      one.engine.receive(replyTo(id, 'hotel.do')),
      one.engine.dispatch(id, { type: 'cancel-requested', reason: 'rain' }),
    ]);
    const { step, deadlineAt } = await sagaOf(id);
    expect(step).toBe('pay');
    expect(Date.parse(deadlineAt!)).toBeGreaterThan(Date.now());
  });

  it('R6 is gone when the saga is parked, and comes back with the reply that moves it on', async () => {
    const id = await begin(one);
    await one.engine.dispatch(id, { type: 'cancel-requested', reason: 'rain' });
    await one.engine.receive(replyTo(id, 'flight.undo', refused('unknown_command')));
    expect(await sagaOf(id)).toMatchObject({ status: 'parked', deadlineAt: null });
    await one.engine.receive(replyTo(id, 'flight.undo'));
    expect(await sagaOf(id)).toMatchObject({ status: 'compensated', reason: 'rain' });
  });
});

describe('R46 a member that fails', () => {
  it('R46 does not hold the other sagas of its batch', async () => {
    const [good, bad, fine] = [
      await begin(one),
      await begin(one, { traveller: 'Eve', breaksAt: 'hotel' }),
      await begin(one),
    ];
    const results = await Promise.allSettled(
      [good, bad, fine].map((id) => one.engine.receive(replyTo(id, 'flight.do'))),
    );
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect([await sagaOf(good), await sagaOf(bad), await sagaOf(fine)].map(({ step }) => step)).toEqual([
      'hotel',
      'flight',
      'hotel',
    ]);
    for (const id of [good, fine]) expect(sentFor(id, one)).toEqual([`${id}/flight/do`, `${id}/hotel/do`]);
  });
});

describe('who follows the sagas', () => {
  it('R1 writes in their transaction: what it cannot write did not happen', async () => {
    let works = false;
    const onChange = (tx: Tx, changes: readonly SagaChange[]) => {
      if (!works && changes.some(({ saga }) => saga.state.step === 'hotel')) {
        tx.send({ name: 'test.zero', text: 'select 1 / 0' });
      }
    };
    const replica = await startReplica({ onChange });
    const id = await begin(replica);
    await expect(replica.engine.receive(replyTo(id, 'flight.do'))).rejects.toThrow('division by zero');
    expect(await pathOf(id)).toEqual(['started → flight.do']);
    expect(sentFor(id, replica)).toEqual([`${id}/flight/do`]);
    works = true;
    await replica.engine.receive(replyTo(id, 'flight.do'));
    expect((await sagaOf(id)).step).toBe('hotel');
  });

  it('R9 may begin another saga there, whose first command leaves after the commit', async () => {
    const next = randomUUID();
    let works = false;
    const replica: Replica = await startReplica({
      onChange: (tx, changes) => {
        const ended = changes.find(({ saga }) => saga.state.status === 'compensated');
        if (!ended) return;
        const { traceparent } = ended.saga;
        replica.engine.begin(tx, [{ id: next, definition: journeyV1, data: { traveller: 'Bob' }, traceparent }]);
        if (!works) tx.send({ name: 'test.zero', text: 'select 1 / 0' });
      },
    });
    const id = await begin(replica);
    await expect(replica.engine.receive(replyTo(id, 'flight.do', refused('fog')))).rejects.toThrow('division by zero');
    expect(await findSaga(one.database, next)).toBeUndefined();
    expect(sentFor(next, replica)).toEqual([]);
    works = true;
    await replica.engine.receive(replyTo(id, 'flight.do', refused('fog')));
    expect(await pathOf(next)).toEqual(['started → flight.do']);
    expect(sentFor(next, replica)).toEqual([`${next}/flight/do`]);
    expect(replica.log.map(({ event, sagaId }) => [event, sagaId])).toEqual([
      ['saga.started', id],
      ['saga.do.refused', id],
      ['saga.started', next],
    ]);
  });
});
