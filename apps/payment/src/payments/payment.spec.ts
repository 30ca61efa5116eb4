/** What the undo of a charge has to do, for everything that may be known about the payment. */
import { examplePayment } from '../../testing/example-payment';
import { type Payment, paymentIdOf, planRefund, type RefundPlan } from './payment';

const payments = {
  none: undefined,
  pending: examplePayment({ status: 'pending' }),
  'waiting for its customer': examplePayment({ status: 'pending', waitsFor: 'customer' }),
  'waiting for a bank': examplePayment({ status: 'pending', waitsFor: 'provider' }),
  authorized: examplePayment({ status: 'authorized' }),
  'given up': examplePayment({ status: 'cancelled', declineReason: 'undone' }),
  succeeded: examplePayment({ status: 'succeeded' }),
  'given back': examplePayment({ status: 'succeeded', refunded: 4_200 }),
  'of nothing': examplePayment({ status: 'succeeded', amount: 0 }),
  declined: examplePayment({ status: 'declined', declineReason: 'generic_decline' }),
  'never made': examplePayment({ status: 'declined', declineReason: 'never_charged' }),
} satisfies Record<string, Payment | undefined>;

describe('R4 the undo of a charge', () => {
  it.each<[keyof typeof payments, RefundPlan]>([
    ['none', 'never-charged'],
    // Nobody knows whether it was paid. So the service must never say that there is nothing to give back.
    ['pending', 'wait-for-charge'],
    ['waiting for its customer', 'give-up'],
    ['waiting for a bank', 'give-up'],
    ['authorized', 'give-up'],
    ['given up', 'never-charged'],
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
