/** POST /payments as clients see it, on two replicas with one database and a provider that fails as the test says. */
import { randomUUID } from 'node:crypto';
import { eventually, useStack } from '@shop/testing';
import { callers, outcomeOf, PaymentApps, paymentBody, type PaymentJson, seenIn } from '../../testing/payment-apps';
import { preparePaymentDatabase } from '../../testing/payment-replicas';
import type { ProviderFault } from '../../testing/scripted-provider';

const stack = useStack({ migrate: preparePaymentDatabase, templateKey: 'payment' });
let apps: PaymentApps;

beforeAll(async () => {
  apps = await PaymentApps.open(stack);
});
afterAll(() => apps.close());

describe('R38 POST /payments', () => {
  it('R38 takes the money once and shows the payment as GET does', async () => {
    const body = paymentBody();
    const answer = await apps.pay(body);
    expect(answer.statusCode).toBe(201);
    const payment = answer.json<PaymentJson>();
    expect(payment).toEqual({
      id: expect.stringMatching(/^pmt_[\w-]{27}$/) as string,
      orderId: null,
      amount: 4_200,
      currency: 'USD',
      status: 'succeeded',
      declineReason: null,
      providerReference: expect.stringMatching(/^pi_/) as string,
      captured: 4_200,
      refunded: 0,
      disputed: 0,
      version: 2,
      createdAt: expect.stringMatching(/Z$/) as string,
    });
    const read = await apps.read(`/payments/${payment.id}`, { replica: 1 });
    expect(read.body).toBe(answer.body);
    expect(answer.headers).toMatchObject({ location: `/payments/${payment.id}`, etag: read.headers.etag });
    expect(apps.provider.chargesOf(body.source)).toMatchObject([
      { amount: 4_200, currency: 'USD', paymentId: payment.id },
    ]);
  });

  it('R38 answers 402 for a declined payment, keeps it, and takes nothing', async () => {
    const answer = await apps.pay(paymentBody({ source: 'tok_declined' }));
    expect(outcomeOf(answer)).toBe('402 payment_declined');
    const { paymentId, reason, statusUrl } = answer.json<Record<string, string>>();
    expect([reason, statusUrl]).toEqual(['generic_decline', `/payments/${paymentId}`]);
    expect(await apps.payment(paymentId!)).toMatchObject({ status: 'declined', declineReason: 'generic_decline' });
    expect(apps.provider.taken(paymentId!)).toBe(0);
  });

  it('R38 counts a request that the provider does not accept as declined, for good', async () => {
    const [body, key] = [paymentBody(), randomUUID()];
    apps.provider.plan(body.source, 'refuses');
    const first = await apps.pay(body, { key });
    expect([outcomeOf(first), first.json<{ reason: string }>().reason]).toEqual([
      '402 payment_declined',
      'refused_by_provider',
    ]);
    expect(seenIn(await apps.pay(body, { key, replica: 1 }))).toEqual(seenIn(first));
    expect(apps.provider.chargesOf(body.source)).toEqual([]);
  });

  it.each<[string, object]>([
    ['nothing to take', { amount: 0 }],
    ['less than nothing', { amount: -1 }],
    ['half a cent', { amount: 0.5 }],
    ['an amount in words', { amount: '4200' }],
    ['no amount', { amount: undefined }],
    ['a currency in small letters', { currency: 'usd' }],
    ['a long currency', { currency: 'USDX' }],
    ['no currency', { currency: undefined }],
    ['an empty source', { source: '' }],
    ['an endless source', { source: 't'.repeat(201) }],
    ['a source that cannot be stored', { source: 'tok_\0' }],
    ['a source that looks sealed', { source: 'sealed.v1.dev.AAAA' }],
    ['no source', { source: undefined }],
    ['what nobody asked for', { orderId: randomUUID() }],
  ])('R29 refuses %s, and the key stays free', async (_, changed) => {
    const key = randomUUID();
    expect(outcomeOf(await apps.pay(paymentBody(changed), { key }))).toBe('400 validation_failed');
    expect(outcomeOf(await apps.pay(paymentBody(), { key }))).toBe('201 ok');
  });

  it.each<[string, object]>([
    ['amount_too_large', { amount: 100_000_000 }],
    ['amount_too_large', { amount: 1_000_000, currency: 'ISK' }],
    ['amount_not_payable', { amount: 1_001, currency: 'KWD' }],
    ['amount_not_payable', { amount: 150, currency: 'MGA' }],
    ['currency_not_supported', { currency: 'KPW' }],
  ])('R38 does not accept what cannot be paid, and the key stays free: %s %j', async (code, changed) => {
    const key = randomUUID();
    const body = paymentBody(changed);
    expect(outcomeOf(await apps.pay(body, { key }))).toBe(`422 ${code}`);
    expect(apps.provider.chargesOf(body.source)).toEqual([]);
    expect(outcomeOf(await apps.pay(paymentBody(), { key }))).toBe('201 ok');
  });

  it.each([
    { amount: 99_999_999 },
    { amount: 999_999, currency: 'ISK' },
    { amount: 9_999_999_900, currency: 'MGA' },
    { amount: 99_999_990, currency: 'KWD' },
  ])('R38 accepts the largest amount that can be paid: %j', async (changed) => {
    expect((await apps.pay(paymentBody(changed))).json()).toMatchObject({ status: 'succeeded', ...changed });
  });

  it('R38 does not ask what time it is in its own process', async () => {
    const now = jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 48 * 3_600_000);
    const answer = await apps.pay().finally(() => now.mockRestore());
    expect(outcomeOf(answer)).toBe('201 ok');
  });

  it('R54 is for operators, and for a tenant its own', async () => {
    expect(outcomeOf(await apps.pay(paymentBody(), { as: callers.customer }))).toBe('403 forbidden');
    expect(outcomeOf(await apps.pay(paymentBody(), { as: 'key-nobody' }))).toBe('401 unauthenticated');
    const { id } = await apps.paid();
    expect(outcomeOf(await apps.read(`/payments/${id}`, { as: callers.rival }))).toBe('404 payment_not_found');
  });

  it('R24 tells its strategy and its answers in the OpenAPI document', async () => {
    const { paths } = (await apps.read('/openapi.json')).json<{
      paths: Record<string, { post: { summary: string; responses: object; 'x-idempotency': object } }>;
    }>();
    for (const path of ['/payments', '/payments/{id}/refunds']) {
      expect(paths[path]!.post['x-idempotency']).toMatchObject({ strategy: 'leased' });
      expect(Object.keys(paths[path]!.post.responses)).toEqual(expect.arrayContaining(['201', '409', '503']));
    }
  });
});

describe('R38 a payment that waits, or is only authorized', () => {
  it('R38 answers 202 with the page of the bank, to its repeat as well, and GET shows the same', async () => {
    const [body, key] = [paymentBody({ source: `tok_3ds_${randomUUID()}` }), randomUUID()];
    const first = await apps.pay(body, { key });
    expect(first.statusCode).toBe(202);
    const payment = first.json<PaymentJson>();
    const expiresAt = expect.stringMatching(/Z$/) as string;
    const url = expect.stringMatching(/^https:\/\/bank\.example\/pi_/) as string;
    expect(payment).toMatchObject({
      status: 'requires_action',
      nextAction: { type: 'redirect', url, expiresAt },
      expiresAt,
      version: 2,
    });
    const again = await apps.pay(body, { key, replica: 1 });
    expect([seenIn(again), again.headers['idempotent-replayed']]).toEqual([seenIn(first), 'true']);
    const read = await apps.read(`/payments/${payment.id}`, { replica: 1 });
    expect([read.body, read.headers.etag]).toEqual([first.body, first.headers.etag]);
    expect(first.headers.location).toBe(`/payments/${payment.id}`);
    expect([apps.provider.callsAbout(payment.id).slice(0, 2), apps.provider.taken(payment.id)]).toEqual([
      ['create', 'confirm'],
      0,
    ]);
    expect(await sourceOf(payment.id)).toEqual([{ source: null }]);
  });

  it('R38 answers 202 while a bank takes its time, without a page', async () => {
    const answer = await apps.pay(paymentBody({ source: `tok_processing_${randomUUID()}` }));
    expect([answer.statusCode, answer.json<PaymentJson>()]).toMatchObject([202, { status: 'processing' }]);
    expect(answer.json<PaymentJson>().nextAction).toBeUndefined();
  });

  it('R4 waits also when the answer of the provider was lost, and the customer is asked once', async () => {
    const [body, key] = [paymentBody({ source: `tok_3ds_${randomUUID()}` }), randomUUID()];
    apps.provider.plan(body.source, 'loses-answer');
    expect(outcomeOf(await apps.pay(body, { key }))).toBe('503 outcome_unknown');
    const known = await apps.pay(body, { key, replica: 1 });
    expect([known.statusCode, known.json<PaymentJson>()]).toMatchObject([202, { status: 'requires_action' }]);
    expect(apps.provider.callsAbout(known.json<PaymentJson>().id).filter((call) => call === 'confirm')).toHaveLength(1);
  });

  it('R20 leads to the payment that waits when the ledger has forgotten its key', async () => {
    const [body, key] = [paymentBody({ source: `tok_3ds_${randomUUID()}` }), randomUUID()];
    const { id } = (await apps.pay(body, { key })).json<PaymentJson>();
    await apps.forget(key);
    const again = await apps.pay(body, { key, replica: 1 });
    expect([outcomeOf(again), again.json<object>()]).toMatchObject([
      '409 already_submitted',
      { statusUrl: `/payments/${id}` },
    ]);
    expect(apps.provider.chargesOf(body.source)).toHaveLength(1);
  });

  it('R38 shows its outcome when the customer has approved it, under a new version, and the first answer stays', async () => {
    const [body, key] = [paymentBody({ source: `tok_3ds_${randomUUID()}` }), randomUUID()];
    const first = await apps.pay(body, { key });
    const { id } = first.json<PaymentJson>();
    apps.provider.decide(id, 'approved');
    await apps.query('update payment set check_at = now() where id = $1', [id]);
    await eventually(async () => expect(await apps.payment(id)).toMatchObject({ status: 'succeeded', version: 3 }));
    expect((await apps.payment(id)).nextAction).toBeUndefined();
    expect(seenIn(await apps.pay(body, { key }))).toEqual(seenIn(first));
    expect([apps.provider.taken(id), outcomeOf(await apps.refund(id, 4_200))]).toEqual([4_200, '201 ok']);
  });

  it('R38 of capture manual is authorized with 201, and takes nothing', async () => {
    const [body, key] = [paymentBody({ capture: 'manual' }), randomUUID()];
    const answer = await apps.pay(body, { key });
    expect([answer.statusCode, answer.json<PaymentJson>()]).toMatchObject([201, { status: 'authorized', version: 2 }]);
    const { id } = answer.json<PaymentJson>();
    expect(seenIn(await apps.pay(body, { key, replica: 1 }))).toEqual(seenIn(answer));
    expect([apps.provider.intentsOf(id), apps.provider.taken(id)]).toMatchObject([[{ capture: 'manual' }], 0]);
    expect((await apps.read(`/payments/${id}`)).json()).toMatchObject({ status: 'authorized' });
    expect(outcomeOf(await apps.refund(id, 1))).toBe('409 payment_not_refundable');
  });

  it('R14 R29 its capture belongs to the request, and knows two ways', async () => {
    const [body, key] = [paymentBody(), randomUUID()];
    await apps.pay(body, { key });
    expect(outcomeOf(await apps.pay({ ...body, capture: 'manual' }, { key }))).toBe('409 idempotency_key_reused');
    expect(outcomeOf(await apps.pay(paymentBody({ capture: 'later' })))).toBe('400 validation_failed');
  });
});

const sourceOf = (id: string) =>
  apps.query<{ source: string | null }>('select source from payment where id = $1', [id]);

describe('the same payment again', () => {
  it.each<[string, string, number]>([
    ['R12', 'tok_fine', 201],
    ['R19', 'tok_declined_again', 402],
  ])('%s gets the first answer byte for byte from any replica: %s', async (_, source, status) => {
    const [body, key] = [paymentBody({ source }), randomUUID()];
    const first = await apps.pay(body, { key });
    expect([first.statusCode, first.headers['idempotent-replayed']]).toEqual([status, undefined]);
    for (const replica of [0, 1] as const) {
      const again = await apps.pay(body, { key, replica });
      expect(seenIn(again)).toEqual(seenIn(first));
      expect(again.headers['idempotent-replayed']).toBe('true');
    }
    expect(apps.provider.chargesOf(source)).toHaveLength(1);
  });

  it('R14 under the same key with another amount is refused', async () => {
    const [body, key] = [paymentBody(), randomUUID()];
    await apps.pay(body, { key });
    expect(outcomeOf(await apps.pay({ ...body, amount: 100 }, { key }))).toBe('409 idempotency_key_reused');
    expect(apps.provider.chargesOf(body.source)).toHaveLength(1);
  });

  it('R13 has no name without a key', async () => {
    expect(outcomeOf(await apps.pay(paymentBody(), { key: null }))).toBe('400 idempotency_key_missing');
  });

  it('R15 is another payment for another tenant', async () => {
    const [body, key] = [paymentBody(), randomUUID()];
    const answers = [await apps.pay(body, { key }), await apps.pay(body, { key, as: callers.rival })];
    expect(answers.map(outcomeOf)).toEqual(['201 ok', '201 ok']);
    expect(apps.provider.chargesOf(body.source)).toHaveLength(2);
  });

  it('R16 is in use while another replica is on it, and then gets its answer', async () => {
    const [body, key] = [paymentBody(), randomUUID()];
    apps.provider.plan(body.source, 'hangs');
    const first = apps.pay(body, { key });
    const charge = await apps.hangingCharge(body.source);
    const busy = await apps.pay(body, { key, replica: 1, headers: { prefer: 'wait=0' } });
    expect(outcomeOf(busy)).toBe('409 idempotency_key_in_use');
    expect(busy.headers['retry-after']).toMatch(/^\d+$/);
    const { statusUrl } = busy.json<{ statusUrl: string }>();
    expect((await apps.read(statusUrl, { replica: 1 })).json()).toMatchObject({
      requests: [{ route: 'POST /payments', state: 'processing' }],
    });
    const waiting = apps.pay(body, { key, replica: 1, headers: { prefer: 'wait=20' } });
    apps.provider.letGo(charge.paymentId);
    expect(seenIn(await waiting)).toEqual(seenIn(await first));
    expect(apps.provider.callsUnder(charge.idempotencyKey)).toBe(1);
  });

  it('R16 R11 twenty times at once to two replicas is one charge and one answer', async () => {
    const [body, key] = [paymentBody(), randomUUID()];
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => apps.pay(body, { key, replica: index % 2 ? 1 : 0 })),
    );
    const done = answers.filter(({ statusCode }) => statusCode === 201);
    expect(new Set(done.map(({ body: text }) => text)).size).toBe(1);
    expect(['201 ok', '409 idempotency_key_in_use']).toEqual(expect.arrayContaining(answers.map(outcomeOf)));
    const charges = apps.provider.chargesOf(body.source);
    expect(charges.map(({ idempotencyKey }) => apps.provider.callsUnder(idempotencyKey))).toEqual([1]);
  });
});

describe('R18 R19 a payment whose outcome is unknown', () => {
  it.each<[ProviderFault]>([['loses-answer'], ['fails-before']])(
    'R19 answers 503, and the same key finds it out with one charge: %s',
    async (fault) => {
      const [body, key] = [paymentBody(), randomUUID()];
      apps.provider.plan(body.source, fault, fault);
      for (const replica of [0, 1] as const) {
        const unknown = await apps.pay(body, { key, replica });
        expect(outcomeOf(unknown)).toBe('503 outcome_unknown');
        expect(unknown.headers['retry-after']).toMatch(/^\d+$/);
      }
      const known = await apps.pay(body, { key });
      expect([outcomeOf(known), known.headers['idempotent-replayed']]).toEqual(['201 ok', undefined]);
      expect(seenIn(await apps.pay(body, { key, replica: 1 }))).toEqual(seenIn(known));
      expect(apps.provider.chargesOf(body.source)).toHaveLength(1);
    },
  );

  it('R19 may turn out to be declined', async () => {
    const [body, key] = [paymentBody({ source: 'tok_declined_in_doubt' }), randomUUID()];
    apps.provider.plan(body.source, 'loses-answer');
    expect(outcomeOf(await apps.pay(body, { key }))).toBe('503 outcome_unknown');
    expect(outcomeOf(await apps.pay(body, { key }))).toBe('402 payment_declined');
  });

  it('R18 is finished by the completer when the client does not come back', async () => {
    const [body, key] = [paymentBody(), randomUUID()];
    apps.provider.plan(body.source, 'loses-answer');
    expect(outcomeOf(await apps.pay(body, { key }))).toBe('503 outcome_unknown');
    await apps.ageLease(key);
    await apps.resumeOverdue(1);
    const late = await apps.pay(body, { key });
    expect([outcomeOf(late), late.headers['idempotent-replayed']]).toEqual(['201 ok', 'true']);
    expect(apps.provider.chargesOf(body.source)).toHaveLength(1);
  });

  it('R18 is taken over from an owner that slept, which then writes nothing', async () => {
    const [body, key] = [paymentBody(), randomUUID()];
    apps.provider.plan(body.source, 'hangs');
    const asleep = apps.pay(body, { key });
    const charge = await apps.hangingCharge(body.source);
    await apps.ageLease(key);
    const taken = await apps.pay(body, { key, replica: 1 });
    expect(outcomeOf(taken)).toBe('201 ok');
    apps.provider.letGo(charge.paymentId);
    // The old owner finds that its lease is gone, and answers the result of the new owner.
    expect(seenIn(await asleep)).toEqual(seenIn(taken));
    expect(await apps.payment(taken.json<PaymentJson>().id)).toMatchObject({ status: 'succeeded', version: 2 });
    expect(apps.provider.chargesOf(body.source)).toHaveLength(1);
  });

  it('R18 is found out by its name when only the payment still tells of it, however old it is', async () => {
    const [body, key] = [paymentBody(), randomUUID()];
    apps.provider.plan(body.source, 'loses-answer');
    await apps.pay(body, { key });
    await apps.forget(key);
    await apps.query(`update payment set created_at = now() - interval '1 day' where id = $1`, [
      await apps.newestPending(),
    ]);
    expect(outcomeOf(await apps.pay(body, { key }))).toBe('201 ok');
    const [charge] = apps.provider.chargesOf(body.source);
    expect(apps.provider.callsUnder(charge!.idempotencyKey)).toBe(1);
  });
});

describe('R4 a payment that an earlier release has begun, and has asked for at once', () => {
  /** The release knew no name of the charge, and did not write whose charge it is. */
  const begun = async (fault: ProviderFault, hours: number) => {
    const [body, key] = [paymentBody(), randomUUID()];
    apps.provider.plan(body.source, fault);
    await apps.pay(body, { key });
    const id = await apps.newestPending();
    await apps.forget(key);
    await apps.query(
      `update payment set charge_id = null, provider_reference = null,
                          created_at = created_at - $2 * interval '1 hour' where id = $1`,
      [id, hours],
    );
    if (fault === 'fails-before') apps.provider.intents.delete(apps.provider.intentsOf(id)[0]!.intent.reference);
    apps.provider.forgetKeys(id);
    return { id, repeat: () => apps.pay(body, { key, replica: 1 }) };
  };

  it.each([0, 23, 25])('is found by a repeat, and charged once: %i hours later', async (hours) => {
    const { id, repeat } = await begun('loses-answer', hours);
    expect(outcomeOf(await repeat())).toBe('201 ok');
    expect([apps.provider.timesCharged(id), apps.provider.callsAbout(id)]).toEqual([
      1,
      ['create', 'confirm', 'retrieve'],
    ]);
  });

  it.each<[number, string, number]>([
    [0, '201 ok', 1],
    [23, '503 outcome_unknown', 0],
    [25, '402 payment_declined', 0],
  ])('and that was never made is made in time only: %i hours later %s', async (hours, outcome, charges) => {
    const { id, repeat } = await begun('fails-before', hours);
    expect(outcomeOf(await repeat())).toBe(outcome);
    expect(apps.provider.timesCharged(id)).toBe(charges);
  });
});

describe('R4 a payment whose key the provider has forgotten', () => {
  const lost = async (fault: ProviderFault, how: 'ledger' | 'payment') => {
    const [body, key] = [paymentBody(), randomUUID()];
    apps.provider.plan(body.source, fault);
    const answer = await apps.pay(body, { key });
    expect(outcomeOf(answer)).toBe('503 outcome_unknown');
    const id = await apps.newestPending();
    if (how === 'payment') await apps.forget(key);
    await apps.query(`update ledger set created_at = now() - interval '25 hours' where key = $1`, [key]);
    if (how === 'payment')
      await apps.query(`update payment set created_at = now() - interval '25 hours' where id = $1`, [id]);
    apps.provider.forgetKeys(id);
    return { id, body, key, repeat: () => apps.pay(body, { key, replica: 1 }) };
  };

  it.each(['ledger', 'payment'] as const)(
    'is found by a repeat, and charged once: by its age in the %s',
    async (how) => {
      const { id, repeat } = await lost('loses-answer', how);
      expect(outcomeOf(await repeat())).toBe('201 ok');
      expect([apps.provider.timesCharged(id), apps.provider.taken(id)]).toEqual([1, 4_200]);
    },
  );

  it('is found by the completer, and charged once', async () => {
    const { id, key } = await lost('loses-answer', 'ledger');
    await apps.ageLease(key);
    await apps.resumeOverdue(1);
    expect([await apps.payment(id), apps.provider.timesCharged(id)]).toMatchObject([{ status: 'succeeded' }, 1]);
  });

  it.each(['ledger', 'payment'] as const)(
    'and that was never made is refused, and is not made a day late: by its age in the %s',
    async (how) => {
      const { id, repeat } = await lost('fails-before', how);
      const answer = await repeat();
      expect([outcomeOf(answer), answer.json()]).toMatchObject(['402 payment_declined', { reason: 'never_charged' }]);
      expect(seenIn(await repeat())).toEqual(seenIn(answer));
      expect(apps.provider.timesCharged(id)).toBe(0);
    },
  );
});

describe('R20 a key that the ledger has forgotten', () => {
  it.each(['tok_settled', 'tok_declined_settled'])('R20 leads to the payment made under it: %s', async (source) => {
    const [body, key] = [paymentBody({ source }), randomUUID()];
    await apps.pay(body, { key });
    await apps.forget(key);
    const again = await apps.pay(body, { key, replica: 1 });
    expect(outcomeOf(again)).toBe('409 already_submitted');
    const { statusUrl } = again.json<{ statusUrl: string }>();
    expect((await apps.read(statusUrl)).statusCode).toBe(200);
    expect(apps.provider.chargesOf(source)).toHaveLength(1);
  });

  it('R20 goes on with a payment that is still pending', async () => {
    const [body, key] = [paymentBody(), randomUUID()];
    apps.provider.plan(body.source, 'loses-answer');
    await apps.pay(body, { key });
    await apps.forget(key);
    expect(outcomeOf(await apps.pay(body, { key, replica: 1 }))).toBe('201 ok');
    expect(apps.provider.chargesOf(body.source)).toHaveLength(1);
  });

  it('R20 does not go on with a pending payment for another request', async () => {
    const [body, key] = [paymentBody(), randomUUID()];
    apps.provider.plan(body.source, 'loses-answer');
    await apps.pay(body, { key });
    await apps.forget(key);
    expect(outcomeOf(await apps.pay({ ...body, amount: 100 }, { key }))).toBe('409 already_submitted');
    expect(apps.provider.chargesOf(body.source)).toHaveLength(1);
  });
});
