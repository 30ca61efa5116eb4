/** What an operator sees and does through HTTP, on a real database, with participants that fail. */
import { randomUUID } from 'node:crypto';
import { metricsNow } from '@shop/http/testing';
import { eventually, useStack } from '@shop/testing';
import type { SagaView } from '@shop/saga';
import { callers, expectProblem, OrderApp, type OrderJson, type TwoOrderApps } from '../../../testing/order-app';
import { allSucceed, allTakenBack, Participants, refused, type Script, succeeded } from '../../../testing/participants';

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

describe('R6 an operator', () => {
  it('R6 sends the command of a parked saga again, and the saga ends', async () => {
    const id = await parkedOnItsWayBack();
    const answer = await act(id, { act: 'retry', reason: 'the provider is back' });
    expect(answer.statusCode).toBe(201);
    expect(answer.headers['location']).toBe(`/sagas/${id}`);
    const saga = answer.json<SagaView>();
    expect(saga).toMatchObject({ id, status: 'compensating', step: 'charge', action: 'undo', attempt: 1 });
    expect(Date.parse(saga.deadlineAt!)).toBeGreaterThan(Date.now() - 1_000);
    expect(saga.history.at(-1)).toMatchObject({
      event: 'operator.retry',
      from: 'parked',
      to: 'charge.undo',
      detail: { by: 'olga', reason: 'the provider is back' },
    });
    await eventually(() => expect(timesSent(id, 'charge/undo')).toBe(2));
    await participants.play(id, undone);
    expect(await settled(id)).toMatchObject({ status: 'cancelled', reason: 'cancelled_by_client' });
  });

  it('R6 skips what was done by hand, and the reason stays in the history that operators see', async () => {
    const id = await parkedOnItsWayBack();
    const reason = 'refunded by bank transfer, ticket 4711';
    expect((await act(id, { act: 'skip', reason })).statusCode).toBe(201);
    await participants.play(id, { 'reserve/undo': succeeded });
    expect(await settled(id)).toMatchObject({ status: 'cancelled' });
    const { history, status } = (await here.get(`/orders/${id}/saga`, { key: callers.operator })).json<SagaView>();
    expect(status).toBe('compensated');
    expect(history.map(({ event, from, to }) => `${event}: ${from} → ${to}`).slice(-3)).toEqual([
      'undo.refused: charge.undo → parked',
      'operator.skip: parked → reserve.undo',
      'undo.succeeded: reserve.undo → compensated',
    ]);
    const [line] = history.filter(({ event }) => event === 'operator.skip');
    expect(line).toMatchObject({ at: expect.any(String), step: 'charge', detail: { by: 'olga', reason } });
    expect(Object.keys(line!.detail as object).sort()).toEqual(['by', 'reason']);
  });

  it('R6 R54 lets a customer see that something was done by hand, and not by whom and why', async () => {
    const id = await parkedOnItsWayBack();
    const reason = 'refunded by bank transfer, ticket 4711';
    await act(id, { act: 'retry', reason });
    await participants.play(id, { 'charge/undo': refused('charge_too_old') });
    await parked(id);
    await act(id, { act: 'skip', reason });
    await participants.play(id, { 'reserve/undo': succeeded });
    await settled(id);
    const ways = ['', '/saga', '/events'].map((way) => `/orders/${id}${way}`);
    const told = await Promise.all([...ways, '/orders'].map(async (way) => (await here.get(way)).body));
    for (const text of told) expect(text).not.toMatch(/olga|4711|bank transfer/);
    for (const text of told.slice(1, 3)) expect(text).toMatch(/operator\.retry.*operator\.skip/s);
    const [event] = await here.query<{ event: string }>(
      `select event::text from outbox where event ->> 'subject' = $1`,
      [id],
    );
    expect(event!.event).not.toMatch(/olga|4711|bank transfer/);
    for (const way of ways.slice(1)) {
      expect((await here.get(way, { key: callers.operator })).body).toMatch(/olga.*4711/s);
    }
  });

  it('R6 R9 turns a running saga back like a client, under a reason of its own', async () => {
    const { id } = await place({ 'reserve/do': succeeded });
    await eventually(() => expect(timesSent(id, 'charge/do')).toBe(1));
    expect((await act(id, { act: 'cancel' })).json()).toMatchObject({ status: 'compensating', step: 'charge' });
    await participants.play(id, undone);
    expect(await settled(id)).toMatchObject({ status: 'cancelled', reason: 'cancelled_by_operator' });
  });

  it('R6 R9 cancels a saga that is parked at its pivot: what it has done is taken back when it ends', async () => {
    const id = await parkedAtThePivot();
    const kept = await act(id, { act: 'cancel', reason: 'the customer has called' });
    expect(kept.json()).toMatchObject({ status: 'parked', step: 'confirm', action: 'do', deadlineAt: null });
    expectProblem(await act(id, { act: 'cancel' }), 409, 'act_not_possible');
    const skipped = await act(id, { act: 'skip', reason: 'inventory says it is confirmed' });
    expect(skipped.json()).toMatchObject({ status: 'completed', reason: 'cancelled_by_operator' });
    const order = (await here.get(`/orders/${id}`)).json<OrderJson>();
    expect(order).toMatchObject({ status: 'cancelling', reason: 'cancelled_by_operator' });
    const [next] = await here.query<{ id: string }>(
      `select id from saga where definition = 'cancel-order' and data ->> 'orderId' = $1`,
      [id],
    );
    // Its first command was sent after the commit of the act.
    await eventually(() => expect(participants.commandsOf(next!.id)).toEqual(['stop-delivery/do']));
    // Nothing takes a cancellation back.
    expectProblem(await act(next!.id, { act: 'cancel' }), 409, 'act_not_possible', { reason: 'never-turns-back' });
    await participants.play(next!.id, allTakenBack);
    expect(await settled(id)).toMatchObject({ status: 'cancelled', reason: 'cancelled_by_operator' });
  });

  it('R6 makes a running saga ask once more, at once', async () => {
    const { id } = await place({});
    await eventually(() => expect(timesSent(id, 'reserve/do')).toBe(1));
    expect((await act(id, { act: 'retry' })).json()).toMatchObject({ status: 'running', attempt: 2 });
    await eventually(() => expect(timesSent(id, 'reserve/do')).toBe(2));
    await participants.play(id, allSucceed);
    expect(await settled(id)).toMatchObject({ status: 'confirmed' });
  });
});

describe('R6 an act that is repeated or meets another one', () => {
  it('R17 does nothing more under the same key, through whichever replica, and is answered byte for byte', async () => {
    const id = await parkedOnItsWayBack();
    const key = randomUUID();
    const answers = await Promise.all(
      [here, there, here, there].map((app) => act(id, { act: 'retry', reason: 'again' }, { key, app })),
    );
    const late = await act(id, { act: 'retry', reason: 'again' }, { key, app: there });
    expect(late.headers['idempotent-replayed']).toBe('true');
    expect([...answers, late].map(({ statusCode }) => statusCode)).toEqual(Array<number>(5).fill(201));
    expect(new Set([...answers, late].map(({ body }) => body)).size).toBe(1);
    expect(await actsOn(id)).toEqual(['operator.retry']);
    await eventually(() => expect(timesSent(id, 'charge/undo')).toBe(2));
    expectProblem(await act(id, { act: 'cancel' }, { key }), 409, 'idempotency_key_reused');
  });

  it('R11 of two operators at once one acts, and the other is told what is true then', async () => {
    for (let round = 0; round < 5; round++) {
      const id = await parkedOnItsWayBack();
      const answers = await Promise.all(
        [here, there].map((app, index) => act(id, { act: 'skip', reason: `operator ${index}` }, { app })),
      );
      expect(answers.map(({ statusCode }) => statusCode).sort()).toEqual([201, 409]);
      const refusal = answers.find(({ statusCode }) => statusCode === 409)!;
      expectProblem(refusal, 409, 'act_not_possible');
      expect(refusal.json()).toMatchObject({ reason: 'not-parked' });
      expect(await actsOn(id)).toEqual(['operator.skip']);
    }
  });

  it('R11 goes in line with the replies that come at the same time', async () => {
    const id = await parkedOnItsWayBack();
    const [retried] = await Promise.all([
      act(id, { act: 'retry' }, { app: there }),
      participants.reply(id, 'charge/undo', succeeded),
    ]);
    expect(retried.statusCode).toBe(201);
    await participants.play(id, undone);
    expect(await settled(id)).toMatchObject({ status: 'cancelled' });
    const seqs = await here.query<{ seq: number }>('select seq from saga_history where saga_id = $1 order by seq', [
      id,
    ]);
    expect(seqs.map(({ seq }) => seq)).toEqual(seqs.map((_, index) => index + 1));
  });

  it('R18 is done and answered, or neither: no move and no command without the stored answer', async () => {
    const id = await parkedOnItsWayBack();
    await stack.administer(`
      create function refuse() returns trigger language plpgsql as $$ begin raise exception 'no room'; end $$`);
    await stack.administer(`
      create trigger refuse before insert on ledger for each row
      when (new.scope like '%POST /sagas%') execute function refuse()`);
    const key = randomUUID();
    try {
      expect((await act(id, { act: 'retry' }, { key })).statusCode).toBe(500);
    } finally {
      await stack.administer('drop trigger refuse on ledger; drop function refuse');
    }
    expect(await actsOn(id)).toEqual([]);
    expect((await show(id)).json()).toMatchObject({ status: 'parked' });
    expect(timesSent(id, 'charge/undo')).toBe(1);
    expect((await act(id, { act: 'retry' }, { key })).statusCode).toBe(201);
  });
});

describe('R6 what an operator may not do', () => {
  it.each([
    ['skip a step of a saga that is not parked', { act: 'skip', reason: 'in a hurry' }, 'not-parked'],
    ['cancel a saga that is on its way back', { act: 'cancel' }, 'already-compensating'],
  ])('R6 %s', async (_, body, reason) => {
    const { id } = await place({});
    await here.call('DELETE', `/orders/${id}`);
    const answer = await act(id, body);
    expectProblem(answer, 409, 'act_not_possible');
    expect(answer.json()).toMatchObject({ reason });
    expect(await actsOn(id)).toEqual([]);
  });

  it.each(['retry', 'skip', 'cancel'])('R6 %s a saga that has ended', async (name) => {
    const { id } = await place(allSucceed);
    await settled(id);
    const answer = await act(id, { act: name, reason: 'too late' });
    expectProblem(answer, 409, 'act_not_possible');
    expect(answer.json()).toMatchObject({ reason: 'ended' });
  });

  it('R8 touch a saga of a version that this replica does not know', async () => {
    const id = await parkedOnItsWayBack();
    await here.query('update saga set definition_version = 99 where id = $1', [id]);
    const answer = await act(id, { act: 'retry' });
    expectProblem(answer, 409, 'act_not_possible');
    expect(answer.json()).toMatchObject({ reason: 'unknown-version' });
    expect((await show(id)).json()).toMatchObject({ version: 99, status: 'parked' });
    await eventually(async () => expect(await metricsNow()).toMatch(/^saga_unknown_versions [1-9]/m));
    await here.query('update saga set definition_version = 1 where id = $1', [id]);
  });

  it.each([
    ['an act that nobody knows', { act: 'discard', reason: 'no' }],
    ['none', { reason: 'no' }],
    ['a skip without a reason', { act: 'skip' }],
    ['a skip whose reason says nothing', { act: 'skip', reason: '  ' }],
    ['a reason that is no text', { act: 'retry', reason: 7 }],
    ['a reason as long as a letter', { act: 'retry', reason: 'x'.repeat(501) }],
    ['anything else', { act: 'retry', by: 'somebody else' }],
  ])('R28 ask for %s', async (_, body) => {
    const { id } = await place({});
    expectProblem(await act(id, body), 400, 'validation_failed');
    expect(await actsOn(id)).toEqual([]);
  });

  it('R18 act without an Idempotency-Key', async () => {
    const { id } = await place({});
    const answer = await here.call('POST', `/sagas/${id}/acts`, { key: callers.operator, body: { act: 'retry' } });
    expectProblem(answer, 400, 'idempotency_key_missing');
  });

  it('R54 see or touch the sagas of another tenant, which are not there for it', async () => {
    const id = await parkedOnItsWayBack();
    expectProblem(await show(id, callers.rival), 404, 'saga_not_found');
    expectProblem(await act(id, { act: 'retry' }, { caller: callers.rival }), 404, 'saga_not_found');
    expect((await list('', callers.rival)).items).toEqual([]);
    expect(await actsOn(id)).toEqual([]);
  });

  it('R54 be a customer', async () => {
    const { id } = await place({});
    expectProblem(await act(id, { act: 'retry' }, { caller: callers.alice }), 403, 'forbidden');
    expectProblem(await show(id, callers.alice), 403, 'forbidden');
    expectProblem(await here.get('/sagas', { key: callers.alice }), 403, 'forbidden');
  });

  it.each([randomUUID(), '7', 'place-order'])('R29 find a saga that is not there: %s', async (id) => {
    expectProblem(await show(id), 404, 'saga_not_found');
    expectProblem(await act(id, { act: 'retry' }), 404, 'saga_not_found');
  });
});

describe('R6 GET /sagas', () => {
  it('R6 lists the parked ones of the tenant, newest first, page by page', async () => {
    const ids = [await parkedOnItsWayBack(), await parkedAtThePivot(), await parkedOnItsWayBack()];
    const seen: string[] = [];
    let cursor = '';
    for (;;) {
      const { items, next } = await list(`?status=parked&limit=2${cursor}`);
      expect(items.length).toBeLessThanOrEqual(2);
      seen.push(...items.map(({ id }) => id));
      expect(items.every(({ status }) => status === 'parked')).toBe(true);
      if (next === null) break;
      cursor = `&cursor=${next}`;
    }
    expect(seen.slice(0, 3)).toEqual([...ids].reverse());
    expect(new Set(seen).size).toBe(seen.length);
    await eventually(async () => expect(await metricsNow()).toMatch(new RegExp(`^saga_parked ${seen.length}$`, 'm')));
  });

  it('R6 tells where each stands and what it is about, and nothing that is nobody’s business', async () => {
    const id = await parkedAtThePivot();
    const { items } = await list('?limit=1');
    expect(items).toEqual([
      {
        id,
        definition: 'place-order',
        held: null,
        version: 1,
        status: 'parked',
        step: 'confirm',
        action: 'do',
        attempt: 1,
        deadlineAt: null,
        parkedReason: 'unreadable',
        createdAt: expect.any(String),
        updatedAt: expect.any(String),
        orderId: id,
        customerId: 'alice',
      },
    ]);
  });

  it.each(['running', 'compensating'])(
    'R6 lists the %s ones, and all that are open without a status',
    async (status) => {
      const { id } = await place({});
      if (status === 'compensating') await here.call('DELETE', `/orders/${id}`);
      const parked = await parkedOnItsWayBack();
      expect((await list(`?status=${status}&limit=1`)).items).toMatchObject([{ id, status }]);
      expect((await list('?limit=2')).items).toMatchObject([{ id: parked }, { id }]);
    },
  );

  it.each(['?status=lost', '?olderThanSeconds=-1', '?olderThanSeconds=1e3', '?q=', '?step=', '?cursor=7', '?limit=0'])(
    'R28 refuses %s',
    async (query) => {
      expectProblem(await here.get(`/sagas${query}`, { key: callers.operator }), 400, 'validation_failed');
    },
  );
});

const undone: Script = { 'charge/undo': succeeded, 'reserve/undo': succeeded };

async function place(script: Script): Promise<{ id: string }> {
  const { id } = (await here.place()).json<OrderJson>();
  await participants.play(id, script);
  return { id };
}

/** The charge of this saga was sent, then the saga was cancelled, and the refund is refused for good. */
async function parkedOnItsWayBack(): Promise<string> {
  const { id } = await place({ 'reserve/do': succeeded });
  await eventually(() => expect(timesSent(id, 'charge/do')).toBe(1));
  await here.call('DELETE', `/orders/${id}`);
  await participants.play(id, { 'charge/undo': refused('charge_too_old') });
  return parked(id);
}

async function parkedAtThePivot(): Promise<string> {
  const doubt = { outcome: 'refused', reason: 'unreadable', inDoubt: true } as const;
  const { id } = await place({ ...allSucceed, 'confirm/do': doubt });
  return parked(id);
}

async function parked(id: string): Promise<string> {
  await eventually(async () => expect((await show(id)).json()).toMatchObject({ status: 'parked' }));
  // From now on, commands are not answered until the test says so.
  await participants.play(id, {});
  return id;
}

function act(
  id: string,
  body: object,
  { app = here, caller = callers.operator, key = randomUUID() }: { app?: OrderApp; caller?: string; key?: string } = {},
) {
  return app.call('POST', `/sagas/${id}/acts`, { key: caller, body, headers: { 'idempotency-key': key } });
}

const show = (id: string, key: string = callers.operator) => here.get(`/sagas/${id}`, { key });

async function list(query: string, key: string = callers.operator) {
  const answer = await here.get(`/sagas${query}`, { key });
  expect(answer.statusCode).toBe(200);
  return answer.json<{ items: { id: string; status: string }[]; next: string | null }>();
}

async function settled(id: string): Promise<OrderJson> {
  return (await there.get(`/orders/${id}`, { headers: { prefer: 'wait=30' } })).json<OrderJson>();
}

async function actsOn(id: string): Promise<string[]> {
  const rows = await here.query<{ event: string }>(
    `select event from saga_history where saga_id = $1 and event like 'operator.%' order by seq`,
    [id],
  );
  return rows.map(({ event }) => event);
}

const timesSent = (id: string, action: string): number => participants.timesSent(id, action);
