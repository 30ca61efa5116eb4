/** What operators hold, correct and look ahead at through HTTP, on a real database, with two replicas. */
import { randomUUID } from 'node:crypto';
import { metricsNow } from '@shop/http/testing';
import { eventually, useStack } from '@shop/testing';
import { type SagaView, StepHolds } from '@shop/saga';
import { callers, expectProblem, OrderApp, type OrderJson, type TwoOrderApps } from '../../../testing/order-app';
import { allSucceed, Participants, refused, type Script, succeeded } from '../../../testing/participants';
import type { SagaHoldsView } from './saga-holds.view';
import type { SagaOutlookView } from './saga-outlook.view';

const stack = useStack();
let here: OrderApp;
let there: OrderApp;
let participants: Participants;
let close: TwoOrderApps['close'];

beforeAll(async () => {
  const two = await OrderApp.startTwo(stack);
  ({ here, there, close } = two);
  participants = await Participants.join(two.natsUrl);
  await here.putProduct('cup', 1_200);
});
afterAll(async () => {
  await participants.leave();
  await close(here, there);
});

const key = callers.operator;
const CHARGE = '/saga-holds/place-order/charge';
const undone: Script = { 'charge/undo': succeeded, 'reserve/undo': succeeded };

async function place(script: Script): Promise<string> {
  const { id } = (await here.place()).json<OrderJson>();
  await participants.play(id, script);
  return id;
}
const act = (id: string, body: object, app = here) =>
  app.call('POST', `/sagas/${id}/acts`, { key, body, headers: { 'idempotency-key': randomUUID() } });
const show = async (id: string): Promise<SagaView> => (await there.get(`/sagas/${id}`, { key })).json<SagaView>();
const settled = async (id: string): Promise<OrderJson> =>
  (await there.get(`/orders/${id}`, { headers: { prefer: 'wait=30' } })).json<OrderJson>();
const holds = async () => (await there.get('/saga-holds', { key })).json<SagaHoldsView>().holds;
const outlook = async (id: string) => (await there.get(`/sagas/${id}/outlook`, { key })).json<SagaOutlookView>();
async function cancellationOf(orderId: string): Promise<string> {
  const rows = await here.query<{ id: string }>(
    `select id from saga where definition = 'cancel-order' and data ->> 'orderId' = $1`,
    [orderId],
  );
  return rows[0]!.id;
}
const timesSent = (id: string, action: string) => participants.timesSent(id, action);

describe('R49 an operator who holds a saga', () => {
  it('R49 stops it, and lets it go on where it was', async () => {
    const id = await place({});
    await eventually(() => expect(timesSent(id, 'reserve/do')).toBe(1));
    const held = await act(id, { act: 'hold', reason: 'the customer has called' });
    expect(held.statusCode).toBe(201);
    expect(held.json()).toMatchObject({
      status: 'running',
      deadlineAt: null,
      held: { by: 'olga', reason: 'the customer has called', scope: 'saga' },
    });
    await participants.play(id, allSucceed);
    await eventually(async () => expect(await show(id)).toMatchObject({ step: 'charge', attempt: 0 }));
    expect(participants.commandsOf(id)).toEqual(['reserve/do']);
    expectProblem(await act(id, { act: 'hold', reason: 'again' }), 409, 'act_not_possible', { reason: 'already-held' });
    expect((await act(id, { act: 'resume' }, there)).json()).toMatchObject({ held: null, attempt: 1 });
    expect(await settled(id)).toMatchObject({ status: 'confirmed' });
    expectProblem(await act(id, { act: 'resume' }), 409, 'act_not_possible', { reason: 'ended' });
  });

  it('R49 has to say why', async () => {
    const id = await place({});
    for (const body of [{ act: 'hold' }, { act: 'hold', reason: ' ' }, { act: 'retry', body: { orderId: id } }]) {
      expectProblem(await act(id, body), 400, 'validation_failed');
    }
    expectProblem(await act(id, { act: 'resume' }), 409, 'act_not_possible', { reason: 'not-held' });
  });
});

describe('R49 an operator who holds a step', () => {
  afterEach(async () => {
    await here.call('DELETE', CHARGE, { key });
    // Else a replica would remember it for a second, and the next tests would meet it.
    for (const { app } of [here, there]) await app.get(StepHolds).refresh();
  });

  const hold = (reason = 'the provider charges twice') => here.call('PUT', CHARGE, { key, body: { reason } });

  it('R49 keeps every order from being charged within a second at each replica, and takes orders all the same', async () => {
    const first = await hold();
    expect(first.statusCode).toBe(201);
    expect(first.json()).toMatchObject({ definition: 'place-order', step: 'charge', by: 'olga' });
    // Whichever replica takes the reply to the reservation has to know it.
    const held = { held: { by: 'olga', reason: 'the provider charges twice', scope: 'step' }, attempt: 0 };
    const ids = await eventually(async () => {
      const placed = await Promise.all(Array.from({ length: 6 }, () => place(allSucceed)));
      await eventually(async () => expect((await show(placed.at(-1)!)).step).not.toBe('reserve'));
      for (const one of placed) expect(await show(one)).toMatchObject(held);
      return placed;
    });
    const id = ids[0]!;
    expect(timesSent(id, 'charge/do')).toBe(0);
    await eventually(async () => expect(await metricsNow()).toMatch(/^saga_held [1-9]/m), { timeoutMs: 15_000 });
    expect(await metricsNow()).toMatch(/^saga_held_steps 1$/m);
    const [listed] = await holds();
    expect(listed).toMatchObject({ definition: 'place-order', step: 'charge', by: 'olga' });
    expect(listed!.sagas).toBeGreaterThanOrEqual(ids.length);

    expect((await here.call('DELETE', CHARGE, { key })).statusCode).toBe(204);
    expect((await here.call('DELETE', CHARGE, { key })).statusCode).toBe(204);
    expect(await settled(id)).toMatchObject({ status: 'confirmed' });
    expect(timesSent(id, 'charge/do')).toBe(1);
    expect(await holds()).toEqual([]);
  });

  it('R49 R9 does not keep a customer from cancelling', async () => {
    await hold();
    // The first orders may meet a replica that has not heard of it yet.
    const id = await eventually(async () => {
      const placed = await place({ ...allSucceed, ...undone });
      await eventually(async () => expect((await show(placed)).step).not.toBe('reserve'));
      expect(await show(placed)).toMatchObject({ step: 'charge', held: { scope: 'step' } });
      return placed;
    });
    await here.call('DELETE', `/orders/${id}`);
    expect(await settled(id)).toMatchObject({ status: 'cancelled' });
    expect(participants.commandsOf(id)).toEqual(['reserve/do', 'reserve/undo']);
  });

  it('R49 may hold it again with another reason, and cannot hold what there is not', async () => {
    await hold();
    const again = await hold('and the bank is closed');
    expect(again.statusCode).toBe(200);
    expect(again.json()).toMatchObject({ reason: 'and the bank is closed' });
    for (const path of ['/saga-holds/place-order/pack', '/saga-holds/none/charge']) {
      expectProblem(await here.call('PUT', path, { key, body: { reason: 'x' } }), 404, 'saga_step_not_found');
    }
    expectProblem(await here.call('PUT', CHARGE, { key, body: { reason: '' } }), 400, 'validation_failed');
  });
});

describe('R49 an operator who corrects a command', () => {
  /** The saga that cancels an order, whose refund is refused. Its first step is the point of no return. */
  async function parkedRefund(): Promise<{ orderId: string; id: string }> {
    const orderId = await place(allSucceed);
    await settled(orderId);
    await here.call('DELETE', `/orders/${orderId}`);
    const id = await cancellationOf(orderId);
    await participants.play(id, { 'stop-delivery/do': succeeded, 'refund/do': refused('unknown_charge') });
    await eventually(async () => expect((await show(id)).status).toBe('parked'));
    await participants.play(id, {});
    return { orderId, id };
  }

  it('R49 is told when no member may be changed: all name the saga itself', async () => {
    const id = await place({ 'reserve/do': succeeded, 'charge/undo': refused('refund_refused') });
    await eventually(() => expect(timesSent(id, 'charge/do')).toBe(1));
    await here.call('DELETE', `/orders/${id}`);
    await eventually(async () => expect((await show(id)).status).toBe('parked'));
    expect((await outlook(id)).correction).toEqual({ possible: false, why: 'member-fixed' });
    const body = { chargeId: `${randomUUID()}/charge/do` };
    const answer = await act(id, { act: 'retry', reason: 'x', body });
    expectProblem(answer, 409, 'act_not_possible');
  });

  it('R49 sends it under a new id, and the saga goes on', async () => {
    const { id, orderId } = await parkedRefund();
    const chargeId = `${randomUUID()}/charge/do`;
    const { correction } = await outlook(id);
    expect(correction).toEqual({ possible: true, body: { orderId, chargeId: `${orderId}/charge/do` } });
    const answer = await act(id, { act: 'retry', reason: 'it was charged by hand', body: { chargeId } });
    expect(answer.statusCode).toBe(201);
    expect(answer.json<SagaView>().history.at(-1)).toMatchObject({
      event: 'operator.retry',
      detail: { by: 'olga', reason: 'it was charged by hand', revision: 2, corrected: { chargeId } },
    });
    await eventually(() => expect(participants.bodyOf(id, 'refund/do/2')).toMatchObject({ orderId, chargeId }));
    await participants.play(id, { 'refund/do/2': succeeded, 'restock/do': succeeded });
    expect(await settled(orderId)).toMatchObject({ status: 'cancelled' });
    for (const path of [`/orders/${orderId}`, `/orders/${orderId}/saga`]) {
      expect((await here.get(path)).body).not.toMatch(new RegExp(`${chargeId}|by hand`));
    }
  });

  it('R49 is told what is wrong, and nothing is sent', async () => {
    const { id } = await parkedRefund();
    const reason = 'a try';
    const faulty = await act(id, { act: 'retry', reason, body: { orderId: 'none', colour: 'red' } });
    expectProblem(faulty, 400, 'validation_failed');
    expect(faulty.json<{ errors: { path: string }[] }>().errors.map(({ path }) => path)).toContain('body.colour');
    const foreign = await act(id, { act: 'retry', reason, body: { tenant: 'rival' } });
    expectProblem(foreign, 409, 'act_not_possible', { reason: 'member-fixed' });
    expectProblem(await act(id, { act: 'skip', reason, body: {} }), 400, 'validation_failed');
    const running = await place({});
    const early = await act(running, { act: 'retry', reason, body: { orderId: randomUUID() } });
    expectProblem(early, 409, 'act_not_possible', { reason: 'not-parked' });
    expect(participants.commandsOf(id)).toEqual(['stop-delivery/do', 'refund/do']);
    expect((await show(id)).status).toBe('parked');
  });
});

describe('R49 the outlook of a saga', () => {
  it('R49 says what is to come, and what each act would do', async () => {
    const id = await place({ 'reserve/do': succeeded });
    await eventually(async () => expect((await show(id)).step).toBe('charge'));
    const { todo, undo, acts, correction } = await outlook(id);
    expect({ todo, undo }).toEqual({ todo: ['charge', 'confirm'], undo: ['charge', 'reserve'] });
    const becomes = { status: 'compensating', step: 'charge', action: 'undo', sends: true, held: false };
    expect(acts).toEqual(
      expect.arrayContaining([
        { act: 'cancel', possible: true, becomes },
        { act: 'skip', possible: false, why: 'not-parked' },
        { act: 'resume', possible: false, why: 'not-held' },
      ]),
    );
    expect(correction).toEqual({ possible: false, why: 'not-parked' });
  });

  it('R49 knows that a cancellation is not cancelled', async () => {
    const id = await place(allSucceed);
    await settled(id);
    await here.call('DELETE', `/orders/${id}`);
    const next = await cancellationOf(id);
    const { acts } = await outlook(next);
    expect(acts).toContainEqual({ act: 'cancel', possible: false, why: 'never-turns-back' });
  });
});
