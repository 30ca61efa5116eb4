/**
 * The refunds of a payment as clients see them, on two replicas with one database and a provider that fails as the test
 * says.
 */
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

interface RefundJson {
  id: string;
  paymentId: string;
  amount: number;
  status: string;
}

const refundsOf = async (id: string) =>
  (await apps.read(`/payments/${id}/refunds`)).json<{ items: RefundJson[] }>().items;

describe('R38 POST /payments/{id}/refunds', () => {
  it('R38 gives a part back, then the rest, and never more', async () => {
    const { id } = await apps.paid();
    const part = await apps.refund(id, 1_200);
    expect(part.statusCode).toBe(201);
    const refund = part.json<RefundJson>();
    expect(refund).toEqual({
      id: expect.stringMatching(/^rfd_[\w-]{27}$/) as string,
      paymentId: id,
      amount: 1_200,
      status: 'succeeded',
      providerReference: expect.stringMatching(/^re_/) as string,
      createdAt: expect.stringMatching(/Z$/) as string,
    });
    expect(part.headers.location).toBe(`/payments/${id}/refunds/${refund.id}`);
    expect((await apps.read(part.headers.location!)).body).toBe(part.body);
    expect(await apps.payment(id)).toMatchObject({ status: 'succeeded', refunded: 1_200, version: 3 });

    const tooMuch = await apps.refund(id, 3_001);
    expect([outcomeOf(tooMuch), tooMuch.json<object>()]).toMatchObject([
      '409 refund_exceeds_payment',
      { refundable: 3_000 },
    ]);
    expect(outcomeOf(await apps.refund(id, 3_000))).toBe('201 ok');
    expect(outcomeOf(await apps.refund(id, 1))).toBe('409 refund_exceeds_payment');
    expect(await apps.payment(id)).toMatchObject({ refunded: 4_200, version: 4 });
    expect(apps.provider.taken(id)).toBe(0);
  });

  it('R38 gives back no more than was paid when three come at once', async () => {
    const { id } = await apps.paid();
    const answers = await Promise.all([
      apps.refund(id, 2_100),
      apps.refund(id, 2_100, { replica: 1 }),
      apps.refund(id, 2_100),
    ]);
    expect(answers.map(outcomeOf).sort()).toEqual(['201 ok', '201 ok', '409 refund_exceeds_payment']);
    expect(await apps.payment(id)).toMatchObject({ refunded: 4_200 });
    expect(apps.provider.taken(id)).toBe(0);
  });

  it('R38 counts a refund whose outcome is unknown as given', async () => {
    const { id } = await apps.paid();
    const key = randomUUID();
    apps.provider.plan(id, ...lastingly('loses-answer'));
    expect(outcomeOf(await apps.refund(id, 4_200, { key }))).toBe('503 outcome_unknown');
    expect(await refundsOf(id)).toMatchObject([{ status: 'pending', amount: 4_200 }]);
    expect(outcomeOf(await apps.refund(id, 1))).toBe('409 refund_exceeds_payment');
    apps.provider.plan(id);
    expect(outcomeOf(await apps.refund(id, 4_200, { key }))).toBe('201 ok');
    expect(apps.provider.taken(id)).toBe(0);
  });

  it('R38 keeps a refund that the provider refuses as failed, and the money may be given back by another', async () => {
    const { id } = await apps.paid();
    const key = randomUUID();
    apps.provider.plan(id, 'refuses');
    const refused = await apps.refund(id, 4_200, { key });
    expect(outcomeOf(refused)).toBe('422 refund_refused');
    expect((await apps.read(refused.json<{ statusUrl: string }>().statusUrl)).json()).toMatchObject({
      status: 'failed',
      providerReference: null,
    });
    expect(seenIn(await apps.refund(id, 4_200, { key, replica: 1 }))).toEqual(seenIn(refused));
    expect([await apps.payment(id), apps.provider.taken(id)]).toMatchObject([{ refunded: 0, version: 2 }, 4_200]);
    expect(outcomeOf(await apps.refund(id, 4_200))).toBe('201 ok');
    expect(apps.provider.taken(id)).toBe(0);
  });

  it('R38 refuses to give back what was not taken, or is not known to be', async () => {
    const declined = await apps.pay(paymentBody({ source: 'tok_declined' }));
    const { paymentId } = declined.json<{ paymentId: string }>();
    expect(outcomeOf(await apps.refund(paymentId, 1))).toBe('409 payment_not_refundable');
    const body = paymentBody();
    apps.provider.plan(body.source, ...lastingly('loses-answer'));
    await apps.pay(body);
    const [pending] = await apps.query<{ id: string }>(`select id from payment where status = 'pending'`);
    expect(outcomeOf(await apps.refund(pending!.id, 1))).toBe('409 payment_not_refundable');
  });

  it.each<[string, object, string]>([
    ['waits for its customer', { source: 'tok_3ds' }, 'requires_action'],
    ['waits for a bank', { source: 'tok_processing' }, 'processing'],
    ['is only authorized', { capture: 'manual' }, 'authorized'],
  ])('R38 gives nothing back of a payment that %s', async (_, changed, status) => {
    const { id } = (await apps.pay(paymentBody(changed))).json<PaymentJson>();
    expect(await apps.payment(id)).toMatchObject({ status });
    expect(outcomeOf(await apps.refund(id, 1))).toBe('409 payment_not_refundable');
    expect(apps.provider.refundsOf(id)).toEqual([]);
  });

  it('R38 leaves the payment of an order to its order', async () => {
    const { id } = await apps.paid();
    const orderId = randomUUID();
    await apps.query('update payment set order_id = $2 where id = $1', [id, orderId]);
    const answer = await apps.refund(id, 1);
    expect([outcomeOf(answer), answer.json<object>()]).toMatchObject(['409 payment_belongs_to_order', { orderId }]);
    expect(apps.provider.taken(id)).toBe(4_200);
  });

  it.each([{ amount: 0 }, { amount: -1 }, { amount: 1.5 }, {}, { amount: 1, reason: 'x' }])(
    'R29 refuses %j',
    async (body) => {
      const { id } = await apps.paid();
      expect(outcomeOf(await apps.post(`/payments/${id}/refunds`, body))).toBe('400 validation_failed');
    },
  );

  it('R38 does not accept a part that the provider cannot give back', async () => {
    const { id } = (await apps.pay(paymentBody({ amount: 5_000, currency: 'KWD' }))).json<PaymentJson>();
    expect(outcomeOf(await apps.refund(id, 1_005))).toBe('422 amount_not_payable');
    expect(outcomeOf(await apps.refund(id, 1_010))).toBe('201 ok');
    expect([await refundsOf(id), apps.provider.taken(id)]).toMatchObject([[{ amount: 1_010 }], 3_990]);
  });

  it('R54 is for operators, and for a tenant its own', async () => {
    const { id } = await apps.paid();
    expect(outcomeOf(await apps.refund(id, 1, { as: callers.customer }))).toBe('403 forbidden');
    expect(outcomeOf(await apps.refund(id, 1, { as: callers.rival }))).toBe('404 payment_not_found');
    expect(outcomeOf(await apps.refund('pmt_nothing', 1))).toBe('404 payment_not_found');
    expect(outcomeOf(await apps.refund('pmt_%00', 1))).toBe('404 payment_not_found');
    expect(apps.provider.taken(id)).toBe(4_200);
  });
});

describe('R33 GET /payments/{id}/refunds', () => {
  it('R33 pages through the refunds of one payment, each once', async () => {
    const [{ id }, other] = [await apps.paid(), await apps.paid()];
    await apps.refund(other.id, 1);
    const made: string[] = [];
    for (let time = 0; time < 5; time++) made.push((await apps.refund(id, 1)).json<RefundJson>().id);
    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page = await apps.read(`/payments/${id}/refunds?limit=2${cursor && `&cursor=${cursor}`}`);
      const { items, next } = page.json<{ items: RefundJson[]; next: string | null }>();
      seen.push(...items.map((item) => item.id));
      cursor = next;
    }
    expect(seen).toEqual(made.sort());
  });

  it('R33 ends with a page that is exactly full', async () => {
    const { id } = await apps.paid();
    for (let time = 0; time < 4; time++) await apps.refund(id, 1);
    const page = async (search: string) =>
      (await apps.read(`/payments/${id}/refunds?${search}`)).json<{ items: RefundJson[]; next: string | null }>();
    const first = await page('limit=2');
    expect([first.items.length, first.next]).toEqual([2, first.items[1]!.id]);
    const last = await page(`limit=2&cursor=${first.next}`);
    expect([last.items.length, last.next]).toEqual([2, null]);
  });

  it('R29 R54 answers 404 for what is not there, or not for this tenant', async () => {
    const { id } = await apps.paid();
    const { id: refundId } = (await apps.refund(id, 1)).json<RefundJson>();
    const other = await apps.paid();
    const missing = [
      await apps.read('/payments/pmt_nothing/refunds'),
      await apps.read(`/payments/${id}/refunds`, { as: callers.rival }),
      await apps.read(`/payments/${id}/refunds/rfd_nothing`),
      await apps.read(`/payments/${other.id}/refunds/${refundId}`),
      await apps.read(`/payments/${id}/refunds/${refundId}`, { as: callers.rival }),
    ];
    expect(missing.map(outcomeOf)).toEqual([
      '404 payment_not_found',
      '404 payment_not_found',
      '404 refund_not_found',
      '404 refund_not_found',
      '404 refund_not_found',
    ]);
  });
});

describe('the same refund again', () => {
  it('R12 gets the first answer byte for byte, and R14 refuses another one under the key', async () => {
    const [first, other] = [await apps.paid(), await apps.paid()];
    const key = randomUUID();
    const answer = await apps.refund(first.id, 100, { key });
    const again = await apps.refund(first.id, 100, { key, replica: 1 });
    expect(seenIn(again)).toEqual(seenIn(answer));
    expect(again.headers['idempotent-replayed']).toBe('true');
    expect(outcomeOf(await apps.refund(first.id, 200, { key }))).toBe('409 idempotency_key_reused');
    expect(outcomeOf(await apps.refund(other.id, 100, { key }))).toBe('409 idempotency_key_reused');
    expect(apps.provider.refundsOf(first.id)).toHaveLength(1);
  });

  it('R19 keeps the refusals of the business', async () => {
    const { id } = await apps.paid();
    const key = randomUUID();
    const first = await apps.refund(id, 9_999, { key });
    const again = await apps.refund(id, 9_999, { key });
    expect([seenIn(again), again.headers['idempotent-replayed']]).toEqual([seenIn(first), 'true']);
  });

  it.each<[ProviderFault]>([['loses-answer'], ['fails-before']])(
    'R18 goes on where an unknown outcome left it, or the completer does: %s',
    async (fault) => {
      const { id } = await apps.paid();
      const [mine, forgotten] = [randomUUID(), randomUUID()];
      apps.provider.plan(id, fault, fault);
      for (const key of [mine, forgotten]) {
        expect(outcomeOf(await apps.refund(id, 100, { key }))).toBe('503 outcome_unknown');
      }
      expect(outcomeOf(await apps.refund(id, 100, { key: mine, replica: 1 }))).toBe('201 ok');
      await apps.ageLease(forgotten);
      await apps.resumeOverdue(1);
      expect(await refundsOf(id)).toMatchObject([{ status: 'succeeded' }, { status: 'succeeded' }]);
      expect([await apps.payment(id), apps.provider.taken(id)]).toMatchObject([{ refunded: 200 }, 4_000]);
    },
  );

  it.each<[ProviderFault, number]>([
    ['loses-answer', 1],
    ['fails-before', 2],
  ])('R4 R18 is given once when the provider has forgotten the key: %s', async (fault, calls) => {
    const { id } = await apps.paid();
    const [mine, forgotten] = [randomUUID(), randomUUID()];
    apps.provider.plan(id, fault, fault);
    for (const key of [mine, forgotten]) {
      expect(outcomeOf(await apps.refund(id, 100, { key }))).toBe('503 outcome_unknown');
      await apps.query(`update ledger set created_at = now() - interval '25 hours' where key = $1`, [key]);
    }
    const keys = apps.provider.calls.slice(-2).map(({ idempotencyKey }) => idempotencyKey);
    apps.provider.forgetKeys(id);
    expect(outcomeOf(await apps.refund(id, 100, { key: mine, replica: 1 }))).toBe('201 ok');
    await apps.ageLease(forgotten);
    await apps.resumeOverdue(1);
    expect([await apps.payment(id), apps.provider.taken(id)]).toMatchObject([{ refunded: 200 }, 4_000]);
    expect(keys.map((key) => apps.provider.callsUnder(key))).toEqual([calls, calls]);
  });

  it('R18 is taken over from an owner that slept, and is given back once', async () => {
    const { id } = await apps.paid();
    const key = randomUUID();
    apps.provider.plan(id, 'hangs');
    const asleep = apps.refund(id, 100, { key });
    await eventually(() => expect(apps.provider.isHanging(id)).toBe(true));
    await apps.ageLease(key);
    const taken = await apps.refund(id, 100, { key, replica: 1 });
    apps.provider.letGo(id);
    expect(seenIn(await asleep)).toEqual(seenIn(taken));
    expect(await apps.payment(id)).toMatchObject({ refunded: 100, version: 3 });
    expect(apps.provider.refundsOf(id)).toHaveLength(1);
  });

  it('R16 twenty times at once to two replicas gives back once', async () => {
    const { id } = await apps.paid();
    const key = randomUUID();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => apps.refund(id, 100, { key, replica: index % 2 ? 1 : 0 })),
    );
    const done = answers.filter(({ statusCode }) => statusCode === 201);
    expect(new Set(done.map(({ body }) => body)).size).toBe(1);
    expect(['201 ok', '409 idempotency_key_in_use']).toEqual(expect.arrayContaining(answers.map(outcomeOf)));
    expect(apps.provider.refundsOf(id)).toHaveLength(1);
    expect(await apps.payment(id)).toMatchObject({ refunded: 100 });
  });

  it('R20 leads to the refund made under it when the ledger has forgotten the key', async () => {
    const { id } = await apps.paid();
    const [settled, pending] = [randomUUID(), randomUUID()];
    const first = await apps.refund(id, 100, { key: settled });
    await apps.forget(settled);
    const again = await apps.refund(id, 100, { key: settled });
    expect([outcomeOf(again), again.json<object>()]).toMatchObject([
      '409 already_submitted',
      { statusUrl: first.headers.location },
    ]);
    apps.provider.plan(id, 'loses-answer');
    await apps.refund(id, 100, { key: pending });
    await apps.forget(pending);
    expect(outcomeOf(await apps.refund(id, 100, { key: pending }))).toBe('201 ok');
    expect(apps.provider.refundsOf(id)).toHaveLength(2);
    expect(await apps.payment(id)).toMatchObject({ refunded: 200 } satisfies Partial<PaymentJson>);
  });
});
