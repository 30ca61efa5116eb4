/** What becomes of events of the provider: in any order, too early, too late, twice or never. */
import { randomUUID } from 'node:crypto';
import { eventually, seededRandom, useStack } from '@shop/testing';
import { callers, PaymentApps, paymentBody, type PaymentJson } from '../../testing/payment-apps';
import { preparePaymentDatabase } from '../../testing/payment-replicas';
import { type EventChanges, providerEvent, WEBHOOK_SECRET } from '../../testing/webhook-events';
import { EventHousekeeper } from './event-housekeeper';
import { finishAttempt, takeOpen } from './provider-events.repository';

const stack = useStack({ migrate: preparePaymentDatabase, templateKey: 'payment' });
let apps: PaymentApps;

beforeAll(async () => {
  apps = await PaymentApps.open(stack, { STRIPE_WEBHOOK_SECRETS: WEBHOOK_SECRET });
});
afterAll(() => apps.close());

interface Row {
  status: string;
  attempts: number;
  last_error: string | null;
}
interface Charged {
  tenant: string;
  id: string;
  intentId: string;
}

async function rowOf(id: string): Promise<Row> {
  const [row] = await apps.query<Row>('select * from provider_event where id = $1', [id]);
  return row!;
}
const untilStatus = (id: string, status: string) =>
  eventually(async () => expect(await rowOf(id)).toMatchObject({ status }));

/** Returns the id of the event. */
async function send(payment: Charged, changes: EventChanges = {}, replica: 0 | 1 = 0): Promise<string> {
  const event = providerEvent(payment, changes);
  expect((await apps.hook(JSON.stringify(event), undefined, replica)).statusCode).toBe(200);
  return event.id;
}

const namedIn = (id: string): Charged => ({
  tenant: 'acme',
  id,
  intentId: apps.provider.intentsOf(id)[0]!.intent.reference,
});

async function waitingPayment(source = 'tok_3ds'): Promise<Charged> {
  const answer = await apps.pay(paymentBody({ source: `${source}_${randomUUID()}` }));
  expect(answer.statusCode).toBe(202);
  return namedIn(answer.json<PaymentJson>().id);
}

/** Nobody asks about it, unless an event comes. */
const askLater = ({ id }: Charged) =>
  apps.query(`update payment set check_at = now() + interval '1 hour' where id = $1`, [id]);
const statusOf = async ({ id }: Charged): Promise<string> => (await apps.payment(id)).status;

describe('R57 an event that comes before we have written what it is about', () => {
  it('R57 stays open and is tried again soon, until the charge has its outcome', async () => {
    const body = paymentBody();
    apps.provider.plan(body.source, 'hangs');
    const paying = apps.pay(body);
    const id = await eventually(() => {
      const [charge] = apps.provider.chargesOf(body.source);
      expect(charge && apps.provider.isHanging(charge.paymentId)).toBe(true);
      return charge!.paymentId;
    });
    const eventId = await send(namedIn(id));
    await eventually(async () => expect((await rowOf(eventId)).attempts).toBeGreaterThanOrEqual(2));
    expect(await rowOf(eventId)).toMatchObject({ status: 'open', last_error: null });
    apps.provider.letGo(id);
    expect((await paying).statusCode).toBe(201);
    await untilStatus(eventId, 'done');
    expect([await statusOf(namedIn(id)), apps.provider.taken(id)]).toEqual(['succeeded', 4_200]);
  });

  it('R57 is tried every half second at first, then less and less often, and given up after three days', async () => {
    const eventId = await send({ tenant: 'acme', id: 'pmt_not_here', intentId: 'pi_not_here' });
    const attempt = async (age: string): Promise<number> => {
      // The attempts of the two replicas go on meanwhile, so the row is taken in one step.
      const rows = await apps.query<{ attempts: number }>(
        `update provider_event
         set received_at = now() - $2::interval, attempts = attempts + 1, next_at = now() + interval '1 hour'
         where id = $1 returning attempts`,
        [eventId, age],
      );
      await finishAttempt(apps.database, { id: eventId, attempts: rows.flat()[0]!.attempts }, 'open');
      const [{ seconds }] = (await apps.query<{ seconds: number }>(
        `select extract(epoch from next_at - now())::float8 as seconds from provider_event where id = $1`,
        [eventId],
      )) as [{ seconds: number }];
      return seconds;
    };
    expect(await attempt('10 seconds')).toBeLessThanOrEqual(0.5);
    const later = await attempt('10 minutes');
    expect([later > 50, later <= 60]).toEqual([true, true]);
    const last = await attempt('2 days 23 hours');
    expect([last > 3_500, last <= 3_600]).toEqual([true, true]);
    await attempt('3 days 1 second');
    expect(await rowOf(eventId)).toMatchObject({ status: 'ignored' });
  });
});

describe('R57 an event is a hint', () => {
  it('R57 that makes us ask at once', async () => {
    const payment = await waitingPayment();
    await askLater(payment);
    apps.provider.decide(payment.id, 'approved');
    await send(payment);
    await eventually(async () => expect(await statusOf(payment)).toBe('succeeded'));
  });

  it('R57 whose payment is found at the provider when the event does not name it', async () => {
    const payment = await waitingPayment();
    await askLater(payment);
    apps.provider.decide(payment.id, 'declined');
    const object = { id: payment.intentId, object: 'payment_intent', metadata: {} };
    const eventId = await send(payment, { type: 'payment_intent.payment_failed', object });
    await untilStatus(eventId, 'done');
    expect(await statusOf(payment)).toBe('declined');
  });

  it('R57 that is ignored when the charge is not one of ours', async () => {
    const object = { id: 'pi_of_somebody_else', object: 'payment_intent', metadata: { order: '7' } };
    await untilStatus(await send({ tenant: '', id: '', intentId: '' }, { object }), 'ignored');
  });

  it('R57 that is kept with its error while the provider does not answer, and carried out later', async () => {
    const payment = await waitingPayment();
    await askLater(payment);
    apps.provider.decide(payment.id, 'approved');
    apps.provider.plan(payment.id, 'fails-before', 'fails-before', 'fails-before');
    const eventId = await send(payment);
    await eventually(async () => expect((await rowOf(eventId)).last_error).toMatch(/refused/));
    await untilStatus(eventId, 'done');
    expect(await rowOf(eventId)).toMatchObject({ last_error: null });
    expect(await statusOf(payment)).toBe('succeeded');
  });

  it('R57 that a later attempt finishes, and not the one whose lease was lost', async () => {
    const eventId = `evt_${randomUUID()}`;
    // Of a time in which nobody looks, so that only the test takes it.
    await apps.query(
      `insert into provider_event (id, type, object_id, created_at, received_at, next_at)
       values ($1, 'payout.paid', 'po_none', now(), now(), now() + interval '1 hour')`,
      [eventId],
    );
    const take = async () => {
      await apps.query(`update provider_event set next_at = '-infinity' where id = $1`, [eventId]);
      return takeOpen(apps.database, 1, 3_600);
    };
    const [[first], [second]] = [await take(), await take()];
    expect([first?.attempts, second?.attempts]).toEqual([1, 2]);
    expect(await finishAttempt(apps.database, first!, 'ignored')).toBeUndefined();
    expect(await finishAttempt(apps.database, second!, 'done')).toBe('done');
  });
});

describe('R57 payments end alike', () => {
  const types = ['requires_action', 'processing', 'succeeded', 'payment_failed', 'canceled'];

  it.each([1, 2, 3, 4])('R57 whether events come never, early, often or shuffled: seed %i', async (seed) => {
    const random = seededRandom(seed);
    const cases = await Promise.all(
      Array.from({ length: 8 }, async (_, number) => ({
        payment: await waitingPayment(number % 2 ? 'tok_3ds' : 'tok_processing'),
        outcome: random.pick(['approved', 'declined'] as const),
        // Each fourth never gets an event.
        events: number % 4 === 3 ? [] : random.shuffle([...types, ...types]).slice(0, 1 + random.int(8)),
      })),
    );
    const sendings = cases.flatMap(({ payment, events }) => events.map((type) => ({ payment, type })));
    const decisions = random.shuffle(cases);
    const ids: string[] = [];
    for (const { payment, type } of random.shuffle(sendings)) {
      if (random.next() < 0.3) {
        const next = decisions.pop();
        if (next) apps.provider.decide(next.payment.id, next.outcome);
      }
      const again = { id: ids.length > 0 && random.next() < 0.2 ? undefined : `evt_${randomUUID()}` };
      const changes = { type: `payment_intent.${type}`, ...(again.id ? again : {}) };
      ids.push(await send(payment, changes, random.next() < 0.5 ? 1 : 0));
    }
    for (const { payment, outcome } of decisions) apps.provider.decide(payment.id, outcome);
    // The time for asking comes by itself.
    await apps.query(`update payment set check_at = now() where check_at is not null`);
    const ends = cases.map(({ outcome }) => (outcome === 'approved' ? ['succeeded', 4_200] : ['declined', 0]));
    const seen = () =>
      Promise.all(cases.map(async ({ payment }) => [await statusOf(payment), apps.provider.taken(payment.id)]));
    await eventually(async () => expect(await seen()).toEqual(ends));
    for (const id of ids) await untilStatus(id, 'done');
    // All of them once more, behind the end.
    const versions = () => Promise.all(cases.map(async ({ payment }) => (await apps.payment(payment.id)).version));
    const before = await versions();
    const late = await Promise.all(
      sendings.map(({ payment, type }) => send(payment, { type: `payment_intent.${type}` })),
    );
    for (const id of late) await untilStatus(id, 'done');
    expect([await seen(), await versions()]).toEqual([ends, before]);
    expect(cases.map(({ payment }) => apps.provider.timesCharged(payment.id))).toEqual(
      ends.map(([status]) => (status === 'succeeded' ? 1 : 0)),
    );
  });
});

describe('R57 a payout', () => {
  const object = { id: `po_${randomUUID()}`, object: 'payout', amount: 1, status: 'paid' };
  const of = (status: 'in_transit' | 'paid' | 'failed', failureCode: string | null = null) => ({
    id: object.id,
    amount: 120_000,
    currency: 'EUR',
    status,
    arrivalDate: '2026-03-03',
    failureCode,
  });
  const none = { tenant: '', id: '', intentId: '' };
  const shown = async () =>
    (await apps.read('/payouts', { as: callers.platform })).json<{ items: object[]; next: string | null }>();

  it('R57 is shown as the provider has it, whatever the event says', async () => {
    apps.provider.payouts.set(object.id, of('in_transit'));
    await untilStatus(await send(none, { type: 'payout.created', object }), 'done');
    expect(await shown()).toEqual({ items: [of('in_transit')], next: null });
    apps.provider.payouts.set(object.id, of('failed', 'account_closed'));
    // Both tell of the same look.
    const both = await Promise.all([
      send(none, { type: 'payout.failed', object }, 1),
      send(none, { type: 'payout.paid', object }),
    ]);
    for (const id of both) await untilStatus(id, 'done');
    expect((await shown()).items).toEqual([of('failed', 'account_closed')]);
  });

  it('R57 is not written by a look that began before another one', async () => {
    await apps.query(`update payout set read_at = now() + interval '1 hour', status = 'paid' where id = $1`, [
      object.id,
    ]);
    await untilStatus(await send(none, { type: 'payout.updated', object }), 'done');
    expect((await shown()).items).toMatchObject([{ status: 'paid' }]);
  });
});

describe('R57 events that ended', () => {
  it('R57 are removed after 30 days, and open ones never', async () => {
    const old = async (status: string, days: number): Promise<string> => {
      const id = `evt_${randomUUID()}`;
      await apps.query(
        `insert into provider_event (id, type, object_id, created_at, received_at, status, next_at)
         values ($1, 'payout.paid', 'po', now(), now() - $2::int * interval '1 day', $3, now() + interval '1 day')`,
        [id, days, status],
      );
      return id;
    };
    const ids = [await old('done', 31), await old('ignored', 31), await old('done', 29), await old('open', 31)];
    await apps.get(EventHousekeeper).reap();
    const left = await apps.query<{ id: string }>('select id from provider_event where id = any($1)', [ids]);
    expect(left.map(({ id }) => id).sort()).toEqual(ids.slice(2).sort());
  });
});
