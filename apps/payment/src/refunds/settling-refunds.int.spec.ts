/** Refunds that the bank turns down after the provider has accepted them. */
import { randomUUID } from 'node:crypto';
import { eventually, useStack } from '@shop/testing';
import { outcomeOf, PaymentApps } from '../../testing/payment-apps';
import { preparePaymentDatabase } from '../../testing/payment-replicas';
import { SettlingRefunds } from './settling-refunds';

const stack = useStack({ migrate: preparePaymentDatabase, templateKey: 'payment' });
let apps: PaymentApps;

beforeAll(async () => {
  apps = await PaymentApps.open(stack);
});
afterAll(() => apps.close());
afterEach(() => {
  apps.provider.refundsBegin = 'succeeded';
});

interface RefundJson {
  id: string;
  status: string;
  providerReference: string;
}

async function pendingRefund(amount = 4_200): Promise<{ paymentId: string; refund: RefundJson }> {
  const { id: paymentId } = await apps.paid();
  apps.provider.refundsBegin = 'pending';
  const answer = await apps.refund(paymentId, amount);
  expect(outcomeOf(answer)).toBe('202 ok');
  return { paymentId, refund: answer.json<RefundJson>() };
}

const hint = ({ providerReference }: RefundJson, replica: 0 | 1 = 0) =>
  apps.get<SettlingRefunds>(SettlingRefunds, replica).handle({ objectId: providerReference });
const makeDue = ({ id }: RefundJson) => apps.query('update refund set check_at = now() where id = $1', [id]);
const statusOf = async (paymentId: string, { id }: RefundJson) =>
  (await apps.read(`/payments/${paymentId}/refunds/${id}`)).json<RefundJson>().status;
const failuresOf = (paymentId: string) =>
  apps.query(
    `select event -> 'data' as data from outbox
     where event ->> 'subject' = $1 and event ->> 'type' = 'payment.refund-failed.v1'`,
    [paymentId],
  );

describe('R57 a refund that the provider has accepted', () => {
  it('R57 is pending until the bank has it, and counts as given back', async () => {
    const { paymentId, refund } = await pendingRefund(4_000);
    expect(refund).toMatchObject({ status: 'pending', providerReference: expect.stringMatching(/^re_/) as string });
    expect(await apps.payment(paymentId)).toMatchObject({ refunded: 4_000 });
    expect(outcomeOf(await apps.refund(paymentId, 201))).toBe('409 refund_exceeds_payment');
    apps.provider.decideRefunds(paymentId, 'succeeded');
    await makeDue(refund);
    await eventually(async () => expect(await statusOf(paymentId, refund)).toBe('succeeded'), { timeoutMs: 10_000 });
    expect(await apps.payment(paymentId)).toMatchObject({ refunded: 4_000 });
  });

  it('R57 and that fails later is owed again, is told, and may be asked for again', async () => {
    const { paymentId, refund } = await pendingRefund();
    apps.provider.decideRefunds(paymentId, 'failed');
    expect(await hint(refund)).toBe('done');
    expect(await statusOf(paymentId, refund)).toBe('failed');
    expect(await apps.payment(paymentId)).toMatchObject({ refunded: 0 });
    expect(await failuresOf(paymentId)).toEqual([
      { data: { tenant: 'acme', paymentId, refundId: refund.id, amount: 4_200, currency: 'USD' } },
    ]);
    apps.provider.refundsBegin = 'succeeded';
    expect(outcomeOf(await apps.refund(paymentId, 4_200))).toBe('201 ok');
    expect(apps.provider.taken(paymentId)).toBe(0);
  });

  it('R57 is found to have failed without a hint', async () => {
    const { paymentId, refund } = await pendingRefund();
    apps.provider.decideRefunds(paymentId, 'failed');
    await makeDue(refund);
    await eventually(async () => expect(await statusOf(paymentId, refund)).toBe('failed'), { timeoutMs: 10_000 });
    expect(await apps.payment(paymentId)).toMatchObject({ refunded: 0 });
  });

  it('R57 and that comes back after it had succeeded is owed again', async () => {
    const { id: paymentId } = await apps.paid();
    const refund = (await apps.refund(paymentId, 1_000)).json<RefundJson>();
    apps.provider.decideRefunds(paymentId, 'failed');
    await hint(refund);
    expect([await statusOf(paymentId, refund), await apps.payment(paymentId)]).toMatchObject([
      'failed',
      { refunded: 0 },
    ]);
  });

  it('R57 fails once, however often and by whomever it is told', async () => {
    const { paymentId, refund } = await pendingRefund(1_000);
    apps.provider.refundsBegin = 'succeeded';
    await apps.refund(paymentId, 2_000);
    apps.provider.refunds.forEach((kept) => {
      if (kept.result.reference === refund.providerReference) kept.result = { ...kept.result, status: 'failed' };
    });
    await Promise.all(Array.from({ length: 10 }, (_, index) => hint(refund, index % 2 ? 1 : 0)));
    expect(await apps.payment(paymentId)).toMatchObject({ refunded: 2_000 });
    expect(await failuresOf(paymentId)).toHaveLength(1);
  });

  it('R57 and that nobody knows yet is asked about later', async () => {
    const [settling] = [apps.get<SettlingRefunds>(SettlingRefunds)];
    expect(await settling.handle({ objectId: 're_of_somebody' })).toBe('later');
  });

  it('R57 of an order may be given back by an operator once it has failed, and not before', async () => {
    const { paymentId, refund } = await pendingRefund();
    await apps.query('update payment set order_id = $2 where id = $1', [paymentId, randomUUID()]);
    expect(outcomeOf(await apps.refund(paymentId, 1))).toBe('409 payment_belongs_to_order');
    apps.provider.decideRefunds(paymentId, 'failed');
    await hint(refund);
    apps.provider.refundsBegin = 'succeeded';
    expect(outcomeOf(await apps.refund(paymentId, 4_200))).toBe('201 ok');
    expect(outcomeOf(await apps.refund(paymentId, 1))).toBe('409 refund_exceeds_payment');
  });
});
