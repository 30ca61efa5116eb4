/** Which refunds are refused, for every state of a payment. */
import type { Payment } from '../payments/payment';
import { examplePayment } from '../../testing/example-payment';
import { objectionTo, refundIdOf } from './refund';

const paid = examplePayment({ amount: 100, currency: 'USD' });

describe('R38 a refund', () => {
  it.each<[string, amount: number, payment: Payment | undefined, promised: number, code: string | undefined]>([
    ['of everything', 100, paid, 0, undefined],
    ['of the rest', 60, paid, 40, undefined],
    ['R57 of the rest beside a dispute', 30, { ...paid, disputed: 30 }, 40, undefined],
    ['R57 of what a dispute has taken', 31, { ...paid, disputed: 30 }, 40, 'refund_exceeds_payment'],
    ['R58 of more than was captured', 61, { ...paid, captured: 60 }, 0, 'refund_exceeds_payment'],
    ['R58 while a part is only held', 1, { ...paid, status: 'authorized', captured: 60 }, 0, 'payment_not_refundable'],
    ['of more than was paid', 101, paid, 0, 'refund_exceeds_payment'],
    ['of more than is left', 61, paid, 40, 'refund_exceeds_payment'],
    ['of what is all promised', 1, paid, 100, 'refund_exceeds_payment'],
    ['of a pending payment', 1, { ...paid, status: 'pending' }, 0, 'payment_not_refundable'],
    ['of a declined payment', 1, { ...paid, status: 'declined' }, 0, 'payment_not_refundable'],
    ['of an order', 1, { ...paid, orderId: 'a' }, 0, 'payment_belongs_to_order'],
    ['of nothing', 1, undefined, 0, 'payment_not_found'],
  ])('R38 %s', (_, amount, payment, promised, code) => {
    expect(objectionTo(amount, payment, { promised, hasFailed: false })?.code).toBe(code);
  });

  it('R57 of an order is allowed after one has failed', () => {
    const ofOrder = { ...paid, orderId: 'a' };
    expect(objectionTo(100, ofOrder, { promised: 0, hasFailed: true })).toBeUndefined();
  });

  it('R20 has an id that follows from its claim', () => {
    expect(refundIdOf('a')).toBe(refundIdOf('a'));
    expect(refundIdOf('a')).not.toBe(refundIdOf('b'));
    expect(refundIdOf('a')).toMatch(/^rfd_[\w-]{27}$/);
  });
});
