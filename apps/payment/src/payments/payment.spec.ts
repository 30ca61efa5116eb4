/** What a refund has to do, for everything that may be known about the payment. */
import { type Payment, paymentIdOf, planRefund, type RefundPlan } from './payment';

const payments = {
  none: undefined,
  pending: paymentOf({ status: 'pending' }),
  succeeded: paymentOf({ status: 'succeeded' }),
  'given back': paymentOf({ status: 'succeeded', refunded: 4_200 }),
  'of nothing': paymentOf({ status: 'succeeded', amount: 0 }),
  declined: paymentOf({ status: 'declined', declineReason: 'generic_decline' }),
  'never made': paymentOf({ status: 'declined', declineReason: 'never_charged' }),
} satisfies Record<string, Payment | undefined>;

describe('R4 a refund', () => {
  it.each<[keyof typeof payments, RefundPlan]>([
    ['none', 'never-charged'],
    // Nobody knows whether it was paid. So the service must never say that there is nothing to give back.
    ['pending', 'wait-for-charge'],
    ['succeeded', 'refund'],
    ['given back', 'nothing-to-refund'],
    ['of nothing', 'nothing-to-refund'],
    ['declined', 'nothing-to-refund'],
    ['never made', 'never-charged'],
  ])('with the payment %s: %s', (payment, plan) => {
    expect(planRefund(payments[payment])).toBe(plan);
  });
});

describe('R38 the id of a payment', () => {
  it('follows from its command, so that one command is one payment', () => {
    expect(paymentIdOf('a/charge/do')).toBe(paymentIdOf('a/charge/do'));
    expect(paymentIdOf('a/charge/do')).not.toBe(paymentIdOf('b/charge/do'));
    expect(paymentIdOf('a/charge/do')).toMatch(/^pmt_[\w-]{27}$/);
  });
});

function paymentOf(state: Pick<Payment, 'status'> & Partial<Payment>): Payment {
  return {
    tenant: 'acme',
    id: 'pmt_1',
    orderId: null,
    amount: 4_200,
    currency: 'EUR',
    source: 'tok_ok',
    declineReason: null,
    providerReference: null,
    refunded: 0,
    version: 1,
    createdAt: '2026-01-01T00:00:00.000Z',
    ...state,
  };
}
