/** Captures as clients see them, on two replicas with one database and a provider that fails as the test says. */
import { randomUUID } from 'node:crypto';
import { eventually, useStack } from '@shop/testing';
import { callers, outcomeOf, PaymentApps, type PaymentJson, paymentBody, seenIn } from '../../testing/payment-apps';
import { preparePaymentDatabase } from '../../testing/payment-replicas';
import { lastingly, type ProviderFault } from '../../testing/scripted-provider';

const stack = useStack({ migrate: preparePaymentDatabase, templateKey: 'payment' });
let apps: PaymentApps;

beforeAll(async () => {
  apps = await PaymentApps.open(stack);
});
afterAll(() => apps.close());

interface CaptureJson {
  id: string;
  amount: number;
  final: boolean;
  status: string;
}

/** A payment of 4200 that is held. */
async function heldPayment(): Promise<PaymentJson> {
  const answer = await apps.pay(paymentBody({ capture: 'manual' }));
  expect(outcomeOf(answer)).toBe('201 ok');
  return answer.json<PaymentJson>();
}

const capture = (id: string, body: object = {}, call?: Parameters<PaymentApps['post']>[2]) =>
  apps.post(`/payments/${id}/captures`, body, call);
const capturesOf = async (id: string) =>
  (await apps.read(`/payments/${id}/captures`)).json<{ items: CaptureJson[] }>().items;
const expire = (id: string) =>
  apps.query(`update payment set expires_at = now() - interval '1 second', check_at = now() where id = $1`, [id]);
const eventsAbout = async (id: string) =>
  (
    await apps.query<{ type: string }>(`select event ->> 'type' as type from outbox where event ->> 'subject' = $1`, [
      id,
    ])
  ).map(({ type }) => type);

describe('R58 POST /payments with capture: manual', () => {
  it('R58 holds the money for seven days and takes nothing', async () => {
    const { id } = await heldPayment();
    const payment = (await apps.read(`/payments/${id}`)).json<Record<string, unknown>>();
    expect(payment).toMatchObject({ status: 'authorized', amount: 4_200, captured: 0, refunded: 0 });
    expect(apps.provider.taken(id)).toBe(0);
    const [row] = await apps.query<{ days: number }>(
      `select extract(epoch from expires_at - created_at)::int / 86400 as days from payment where id = $1`,
      [id],
    );
    expect(row).toEqual({ days: 7 });
  });
});

describe('R58 POST /payments/{id}/captures', () => {
  it('R58 takes a part, then the rest, and never more', async () => {
    const { id } = await heldPayment();
    const part = await capture(id, { amount: 1_200 });
    expect(outcomeOf(part)).toBe('201 ok');
    const made = part.json<CaptureJson>();
    expect(made).toEqual({
      id: expect.stringMatching(/^cap_[\w-]{27}$/) as string,
      paymentId: id,
      amount: 1_200,
      final: false,
      status: 'succeeded',
      createdAt: expect.stringMatching(/Z$/) as string,
    });
    expect((await apps.read(part.headers.location!)).body).toBe(part.body);
    expect(await apps.payment(id)).toMatchObject({ status: 'authorized', captured: 1_200 });
    const tooMuch = await capture(id, { amount: 3_001 });
    expect([outcomeOf(tooMuch), tooMuch.json<object>()]).toMatchObject([
      '409 capture_exceeds_authorization',
      { capturable: 3_000 },
    ]);
    expect((await capture(id)).json()).toMatchObject({ amount: 3_000, final: true });
    expect(await apps.payment(id)).toMatchObject({ status: 'succeeded', captured: 4_200 });
    expect(outcomeOf(await capture(id, { amount: 1 }))).toBe('409 payment_not_capturable');
    expect(apps.provider.taken(id)).toBe(4_200);
  });

  it('R58 the last one releases the rest, and only what was captured goes back', async () => {
    const { id } = await heldPayment();
    await capture(id, { amount: 1_000 });
    expect(outcomeOf(await apps.refund(id, 500))).toBe('409 payment_not_refundable');
    await capture(id, { amount: 500, final: true });
    expect(await apps.payment(id)).toMatchObject({ status: 'succeeded', amount: 4_200, captured: 1_500 });
    expect(outcomeOf(await apps.refund(id, 1_501))).toBe('409 refund_exceeds_payment');
    expect(outcomeOf(await apps.refund(id, 1_500))).toBe('201 ok');
    expect(apps.provider.taken(id)).toBe(0);
  });

  it('R58 fifty at once never take more than is held', async () => {
    const { id } = await heldPayment();
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) => capture(id, { amount: 200 }, { replica: index % 2 ? 1 : 0 })),
    );
    const made = answers.filter(({ statusCode }) => statusCode === 201);
    expect(made).toHaveLength(21);
    expect(answers.filter(({ statusCode }) => statusCode !== 201 && statusCode !== 409)).toEqual([]);
    expect(await apps.payment(id)).toMatchObject({ status: 'succeeded', captured: 4_200 });
    expect([apps.provider.taken(id), await capturesOf(id)]).toMatchObject([4_200, { length: 21 }]);
  });

  it('R58 takes the money of an order too', async () => {
    const { id } = await heldPayment();
    await apps.query('update payment set order_id = $2 where id = $1', [id, randomUUID()]);
    expect(outcomeOf(await capture(id))).toBe('201 ok');
  });

  it.each<[ProviderFault]>([['loses-answer'], ['fails-before']])(
    'R18 R58 goes on where an unknown outcome left it, or the completer does, and takes once: %s',
    async (fault) => {
      const { id } = await heldPayment();
      const [mine, forgotten] = [randomUUID(), randomUUID()];
      apps.provider.plan(id, fault, fault);
      for (const key of [mine, forgotten]) {
        expect(outcomeOf(await capture(id, { amount: 100 }, { key }))).toBe('503 outcome_unknown');
      }
      expect(outcomeOf(await capture(id, { amount: 4_200 }))).toBe('409 capture_exceeds_authorization');
      expect(outcomeOf(await capture(id, { amount: 1, final: true }))).toBe('409 capture_in_progress');
      apps.provider.forgetKeys(id);
      expect(outcomeOf(await capture(id, { amount: 100 }, { key: mine, replica: 1 }))).toBe('201 ok');
      await apps.ageLease(forgotten);
      await apps.resumeOverdue(1);
      expect(await capturesOf(id)).toMatchObject([{ status: 'succeeded' }, { status: 'succeeded' }]);
      expect([await apps.payment(id), apps.provider.taken(id)]).toMatchObject([{ captured: 200 }, 200]);
    },
  );

  it('R12 R14 answers a repeat byte for byte, and refuses another request under the key', async () => {
    const { id } = await heldPayment();
    const key = randomUUID();
    const first = await capture(id, { amount: 100 }, { key });
    const again = await capture(id, { amount: 100 }, { key, replica: 1 });
    expect(seenIn(again)).toEqual(seenIn(first));
    expect(outcomeOf(await capture(id, { amount: 200 }, { key }))).toBe('409 idempotency_key_reused');
    await apps.forget(key);
    expect(outcomeOf(await capture(id, { amount: 100 }, { key }))).toBe('409 already_submitted');
    expect(apps.provider.taken(id)).toBe(100);
  });

  it('R58 keeps a capture that the provider refuses as failed, and the money may be taken by another', async () => {
    const { id } = await heldPayment();
    apps.provider.plan(id, 'refuses');
    expect(outcomeOf(await capture(id))).toBe('422 capture_refused');
    expect(await capturesOf(id)).toMatchObject([{ status: 'failed', amount: 4_200 }]);
    expect([await apps.payment(id), apps.provider.taken(id)]).toMatchObject([{ captured: 0 }, 0]);
    expect(outcomeOf(await capture(id))).toBe('201 ok');
  });

  it.each([{ amount: 0 }, { amount: 1.5 }, { amount: '1' }, { final: 'yes' }, { reason: 'x' }])(
    'R29 refuses %j',
    async (body) => {
      const { id } = await heldPayment();
      expect(outcomeOf(await capture(id, body))).toBe('400 validation_failed');
    },
  );

  it('R54 is for operators, and for a tenant its own', async () => {
    const { id } = await heldPayment();
    const { id: captureId } = (await capture(id, { amount: 1 })).json<CaptureJson>();
    expect(outcomeOf(await capture(id, {}, { as: callers.customer }))).toBe('403 forbidden');
    expect(outcomeOf(await capture(id, {}, { as: callers.rival }))).toBe('404 payment_not_found');
    const one = `/payments/${id}/captures/${captureId}`;
    expect(outcomeOf(await apps.read(one, { as: callers.rival }))).toBe('404 capture_not_found');
    expect(outcomeOf(await apps.read('/payments/pmt_nothing/captures'))).toBe('404 payment_not_found');
  });
});

describe('R58 an authorization that expires', () => {
  it('R58 between two captures is refused, the rest is released, and what was captured stays', async () => {
    const { id } = await heldPayment();
    await capture(id, { amount: 1_000 });
    await expire(id);
    expect(outcomeOf(await capture(id, { amount: 1_000 }))).toBe('409 authorization_expired');
    await eventually(async () =>
      expect(await apps.payment(id)).toMatchObject({ status: 'succeeded', captured: 1_000 }),
    );
    expect(apps.provider.taken(id)).toBe(1_000);
    expect(await eventsAbout(id)).toContain('payment.settled.v1');
  });

  it('R58 with nothing captured ends as cancelled', async () => {
    const { id } = await heldPayment();
    await expire(id);
    await eventually(async () =>
      expect(await apps.payment(id)).toMatchObject({ status: 'cancelled', declineReason: 'authorization_expired' }),
    );
    expect(outcomeOf(await capture(id))).toBe('409 authorization_expired');
    expect(await eventsAbout(id)).toEqual(['payment.authorization-expiring.v1', 'payment.settled.v1']);
  });

  it('R58 at the provider, before we know, takes nothing', async () => {
    const { id } = await heldPayment();
    const [kept] = apps.provider.intentsOf(id);
    kept!.intent = { status: 'cancelled', reference: kept!.intent.reference, captured: 0 };
    expect(outcomeOf(await capture(id))).toBe('409 authorization_expired');
    await eventually(async () => expect(await apps.payment(id)).toMatchObject({ status: 'cancelled' }));
  });

  it('R58 soon is told once, and stays held', async () => {
    const { id } = await heldPayment();
    await apps.query(`update payment set expires_at = now() + interval '1 hour', check_at = now() where id = $1`, [id]);
    await eventually(async () => expect(await eventsAbout(id)).toEqual(['payment.authorization-expiring.v1']));
    await apps.query('update payment set check_at = now() where id = $1', [id]);
    await eventually(async () =>
      expect(await apps.query('select 1 from payment where id = $1 and check_at = expires_at', [id])).toHaveLength(1),
    );
    expect(await eventsAbout(id)).toEqual(['payment.authorization-expiring.v1']);
    expect(outcomeOf(await capture(id))).toBe('201 ok');
  });
});

describe('R33 GET /payments/{id}/captures', () => {
  it('R33 pages through the captures of one payment, each once', async () => {
    const { id } = await heldPayment();
    const made: string[] = [];
    for (let time = 0; time < 5; time++) made.push((await capture(id, { amount: 1 })).json<CaptureJson>().id);
    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page = await apps.read(`/payments/${id}/captures?limit=2${cursor && `&cursor=${cursor}`}`);
      const { items, next } = page.json<{ items: CaptureJson[]; next: string | null }>();
      seen.push(...items.map((item) => item.id));
      cursor = next;
    }
    expect(seen).toEqual(made.sort());
  });
});

it('R58 a charge whose answer is lost is held once', async () => {
  const body = paymentBody({ capture: 'manual' });
  const key = randomUUID();
  apps.provider.plan(body.source, ...lastingly('loses-answer'));
  expect(outcomeOf(await apps.pay(body, { key }))).toBe('503 outcome_unknown');
  const id = await apps.newestPending();
  apps.provider.plan(id);
  expect((await apps.pay(body, { key })).json()).toMatchObject({ id, status: 'authorized' });
});
