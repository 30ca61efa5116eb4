/** What a refund has to do, for everything that may be known of its charge. */
import type { Entry } from '@shop/idempotency';
import { type Payment, paymentIdOf, planRefund, type RefundPlan } from './payment';

const answer = { status: 200, body: '{}' };
const keyed = { scope: 'payment', key: 'saga/charge/do', fingerprint: Buffer.alloc(32) };

const charges = {
  'never seen': undefined,
  'being made': { ...keyed, status: 'pending', leaseExpired: false },
  'left in doubt': { ...keyed, status: 'pending', leaseExpired: true },
  answered: { ...keyed, status: 'completed', answer },
  barred: { ...keyed, fingerprint: null, status: 'completed', answer },
} satisfies Record<string, Entry | undefined>;

const payments = {
  none: undefined,
  pending: paymentOf({ status: 'pending' }),
  succeeded: paymentOf({ status: 'succeeded' }),
  'given back': paymentOf({ status: 'succeeded', refunded: 4_200 }),
  'of nothing': paymentOf({ status: 'succeeded', amount: 0 }),
  declined: paymentOf({ status: 'declined' }),
} satisfies Record<string, Payment | undefined>;

describe('R4 a refund', () => {
  it.each<[keyof typeof charges, keyof typeof payments, RefundPlan]>([
    ['never seen', 'none', 'bar-charge'],
    ['being made', 'none', 'wait-for-charge'],
    ['left in doubt', 'none', 'wait-for-charge'],
    ['answered', 'none', 'nothing-to-refund'],
    ['barred', 'none', 'nothing-to-refund'],

    // Nobody knows whether it was paid, so it is never said that there is nothing to give back.
    ['never seen', 'pending', 'wait-for-charge'],
    ['being made', 'pending', 'wait-for-charge'],
    ['left in doubt', 'pending', 'resolve-charge'],
    ['answered', 'pending', 'wait-for-charge'],

    // The ledger forgets; the payment stays.
    ['never seen', 'succeeded', 'refund'],
    ['answered', 'succeeded', 'refund'],
    ['never seen', 'given back', 'nothing-to-refund'],
    ['answered', 'given back', 'nothing-to-refund'],
    ['never seen', 'of nothing', 'nothing-to-refund'],
    ['answered', 'of nothing', 'nothing-to-refund'],
    ['never seen', 'declined', 'nothing-to-refund'],
    ['answered', 'declined', 'nothing-to-refund'],
  ])('of a charge %s with the payment %s: %s', (charge, payment, plan) => {
    expect(planRefund(charges[charge], payments[payment])).toBe(plan);
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
