/** Orders whose payment waits for the customer, through two instances of the whole app on one database. */
import { OrderActionRequired, PaymentSettled } from '@shop/contracts';
import { bodyOf, type Message, newEvent, type Reply } from '@shop/messaging';
import type { SagaView } from '@shop/saga';
import { eventually, useStack } from '@shop/testing';
import {
  callers,
  expectProblem,
  OrderApp,
  orderBody,
  type OrderJson,
  type TwoOrderApps,
} from '../../../testing/order-app';
import { allSucceed, Participants, refused, type Script, succeeded } from '../../../testing/participants';

const stack = useStack();
const URL = 'https://bank.example/confirm/secret';
const inAnHour = new Date(Date.now() + 3_600_000).toISOString();
const nextAction = { type: 'redirect', url: URL, expiresAt: inAnHour } as const;
const waiting: Reply = { outcome: 'waiting', waiting: { until: inAnHour, for: 'customer', action: nextAction } };
const chargeWaits: Script = { ...allSucceed, 'charge/do': waiting };

interface WaitingOrder extends OrderJson {
  nextAction?: typeof nextAction;
}

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

async function place(script: Script = chargeWaits, body = orderBody()): Promise<string> {
  const { id } = (await here.place(body)).json<OrderJson>();
  await participants.play(id, script);
  return id;
}
const read = async (id: string, app = there) => (await app.get(`/orders/${id}`)).json<WaitingOrder>();
const settled = async (id: string) =>
  (await there.get(`/orders/${id}`, { headers: { prefer: 'wait=20' } })).json<WaitingOrder>();
const sagaOf = async (id: string) => (await here.get(`/sagas/${id}`, { key: callers.operator })).json<SagaView>();

/** An order that shows what its customer has to do. */
async function placeAndWait(): Promise<string> {
  const id = await place();
  expect(await settled(id)).toMatchObject({ status: 'pending', nextAction });
  return id;
}

/** What payment tells when it knows the outcome of the charge of this saga. */
function newsOf(id: string, changed: object = {}): Message {
  const data = {
    tenant: 'acme',
    paymentId: `pmt_${id}`,
    orderId: id,
    chargeId: `${id}/charge/do`,
    status: 'succeeded' as const,
  };
  return newEvent(PaymentSettled, { id: `${id}/settled`, subject: id, data: { ...data, ...changed } });
}

describe('an order that waits for its customer', () => {
  it('shows what the customer has to do, to who asks, who waits and who lists', async () => {
    const id = await place();
    const answer = await there.get(`/orders/${id}`, { headers: { prefer: 'wait=20' } });
    expect(answer.json()).toMatchObject({ status: 'pending', nextAction });
    expect(answer.headers).toMatchObject({ etag: '"2"', 'preference-applied': 'wait=20' });
    const { items } = (await here.get('/orders?status=pending')).json<{ items: WaitingOrder[] }>();
    expect(items.find((order) => order.id === id)).toMatchObject({ nextAction });
    expect(await sagaOf(id)).toMatchObject({
      step: 'charge',
      attempt: 0,
      waiting: { until: inAnHour, for: 'customer' },
    });
    const { items: sagas } = (await here.get('/sagas', { key: callers.operator })).json<{ items: SagaView[] }>();
    expect(sagas.find((saga) => saga.id === id)).toMatchObject({ waiting: { for: 'customer' } });
  });

  it('R48 keeps the link from its saga, whoever looks', async () => {
    const id = await placeAndWait();
    const story = await here.get(`/orders/${id}/saga`);
    expect(story.body).toContain('do.waiting');
    expect(story.body + JSON.stringify(await sagaOf(id))).not.toContain('bank.example');
  });

  it('R41 tells whoever listens that its customer has to do something, once', async () => {
    const id = await placeAndWait();
    const events = await here.query<{ event: Message }>(`select event from outbox where event ->> 'subject' = $1`, [
      id,
    ]);
    expect(events).toHaveLength(1);
    const message = events[0]!.event;
    expect(message).toMatchObject({
      type: OrderActionRequired.type,
      data: { tenant: 'acme', orderId: id, nextAction },
    });
    expect(bodyOf(OrderActionRequired, message)).toMatchObject({ ok: true });
  });

  it('keeps a client waiting that knows what is to be done, until there is more news', async () => {
    const id = await placeAndWait();
    const headers = { prefer: 'wait=20', 'if-none-match': '"2"' };
    const answer = there.get(`/orders/${id}`, { headers });
    await eventually(() => expect(there.watchers).toBe(1));
    participants.change(id, allSucceed);
    await participants.tell(newsOf(id));
    expect((await answer).json()).toMatchObject({ status: 'confirmed' });
    const short = { prefer: 'wait=1', 'if-none-match': '"2"' };
    const other = await placeAndWait();
    expect((await there.get(`/orders/${other}`, { headers: short })).statusCode).toBe(304);
  });

  it('is confirmed when payment has told that there is news, and the charge then succeeds', async () => {
    const id = await placeAndWait();
    participants.change(id, allSucceed);
    await participants.tell(newsOf(id));
    await eventually(async () => expect(await read(id)).toMatchObject({ status: 'confirmed' }));
    expect((await read(id)).nextAction).toBeUndefined();
    expect(participants.timesSent(id, 'charge/do')).toBe(2);
    expect(new Set(participants.bodiesOf(id, 'charge/do').map((body) => JSON.stringify(body))).size).toBe(1);
  });

  it.each(['payment_expired', 'payment_declined'])('R2 is cancelled when the charge is refused: %s', async (reason) => {
    const id = await placeAndWait();
    participants.change(id, { 'charge/do': refused(reason), 'reserve/undo': succeeded });
    await participants.tell(newsOf(id, { status: 'declined' }));
    await eventually(async () => expect(await read(id)).toMatchObject({ status: 'cancelled', reason }));
    expect((await read(id)).nextAction).toBeUndefined();
  });

  it('asks again when its time is over, without any news', async () => {
    const id = await placeAndWait();
    participants.change(id, allSucceed);
    await here.query(`update saga set deadline_at = now() - interval '1 second' where id = $1`, [id]);
    await eventually(async () => expect(await read(id)).toMatchObject({ status: 'confirmed' }));
  });

  it('shows nothing to be done while its charge is asked again, and the new link when there is one', async () => {
    const id = await placeAndWait();
    participants.change(id, {});
    await participants.tell(newsOf(id));
    await eventually(async () => expect((await read(id)).nextAction).toBeUndefined());
    expect(await read(id)).toMatchObject({ status: 'pending' });
    const again = { ...nextAction, url: `${URL}/2` };
    await participants.reply(id, 'charge/do', { ...waiting, waiting: { ...waiting.waiting!, action: again } });
    await eventually(async () => expect(await read(id)).toMatchObject({ nextAction: again }));
  });

  it('R9 turns back at once when it is cancelled: its payment is undone, and then its reservation', async () => {
    const id = await placeAndWait();
    participants.change(id, { 'charge/undo': succeeded, 'reserve/undo': succeeded });
    expect((await here.call('DELETE', `/orders/${id}`)).statusCode).toBe(204);
    await eventually(async () => expect(await read(id)).toMatchObject({ status: 'cancelled' }));
    expect((await read(id)).nextAction).toBeUndefined();
    expect(participants.commandsOf(id)).toEqual(['reserve/do', 'charge/do', 'charge/undo', 'reserve/undo']);
    const [row] = await here.query('select next_action from orders where id = $1', [id]);
    expect(row).toEqual({ next_action: null });
  });
});

describe('news of payments that can do nothing', () => {
  it.each<[string, (id: string) => Message | string]>([
    ['of another tenant', (id) => newsOf(id, { tenant: 'rival' })],
    ['of a charge that nobody knows', (id) => newsOf(id, { chargeId: `${id.slice(0, -4)}dead/charge/do` })],
    ['of a charge that is none', (id) => newsOf(id, { chargeId: `${id}/charge/do/../..` })],
    ['of money without an order', (id) => newsOf(id, { chargeId: undefined, orderId: undefined })],
    ['in a form that is none', (id) => newsOf(id, { status: 'paid_twice' })],
    ['of another type', (id) => ({ ...newsOf(id), type: 'payment.exploded.v1' })],
    ['in bytes that are none', () => '{"not":"a batch"'],
  ])('R10 move no order, and hold up no news behind them: %s', async (_, bad) => {
    const id = await placeAndWait();
    const behind = await placeAndWait();
    participants.change(id, allSucceed);
    participants.change(behind, allSucceed);
    await participants.tell(bad(id));
    await participants.tell(newsOf(behind));
    await eventually(async () => expect(await read(behind)).toMatchObject({ status: 'confirmed' }));
    expect(await read(id)).toMatchObject({ status: 'pending', nextAction });
    expect(participants.timesSent(id, 'charge/do')).toBe(1);
  });

  it('R10 move an order once when they come again and again, and nothing when it has ended', async () => {
    const id = await placeAndWait();
    participants.change(id, allSucceed);
    for (let times = 0; times < 3; times++) await participants.tell(newsOf(id));
    await eventually(async () => expect(await read(id)).toMatchObject({ status: 'confirmed' }));
    const behind = await placeAndWait();
    participants.change(behind, allSucceed);
    await participants.tell(newsOf(id));
    await participants.tell(newsOf(behind));
    await eventually(async () => expect(await read(behind)).toMatchObject({ status: 'confirmed' }));
    expect(participants.timesSent(id, 'charge/do')).toBe(2);
  });
});

describe('how the money is taken', () => {
  const capturing = (capture: unknown) => orderBody({ payment: { source: 'tok_ok', capture } });

  it.each<[string, unknown, object]>([
    ['by hand, when the client says so', 'manual', { capture: 'manual' }],
    ['at once, in the body that earlier releases know', 'automatic', {}],
    ['at once, when the client says nothing', undefined, {}],
  ])('is told to payment: %s', async (_, capture, told) => {
    const id = await place(allSucceed, capturing(capture));
    expect(await settled(id)).toMatchObject({ status: 'confirmed' });
    const { source, ...body } = participants.bodyOf(id, 'charge/do') as Record<string, unknown>;
    expect(body).toEqual({ tenant: 'acme', orderId: id, amount: 2_400, currency: 'EUR', ...told });
  });

  it('R29 is one of the two ways', async () => {
    expectProblem(await here.place(capturing('never')), 400, 'validation_failed');
  });
});
