/** Which captures are refused, for every state of a payment. */
import { Problem } from '@shop/problem';
import { examplePayment } from '../../testing/example-payment';
import { type CaptureBody, captureIdOf, MAX_CAPTURES, planCapture } from './capture';

const held = {
  ...examplePayment({ amount: 100, currency: 'USD', status: 'authorized', captured: 0 }),
  isExpired: false,
};
const none = { promised: 0, pending: 0, count: 0, hasFinal: false };
const planOf = (body: CaptureBody, payment: typeof held | undefined = held, others: Partial<typeof none> = {}) => {
  const plan = planCapture(body, payment, { ...none, ...others });
  return plan instanceof Problem ? plan.code : plan;
};

describe('R58 a capture', () => {
  it.each<[string, CaptureBody, Partial<typeof none>, object | string]>([
    ['of everything is the last one', {}, {}, { amount: 100, final: true }],
    ['of a part leaves the rest', { amount: 40 }, {}, { amount: 40, final: false }],
    ['of a part may be the last one', { amount: 40, final: true }, {}, { amount: 40, final: true }],
    ['of the rest is the last one', {}, { promised: 40, count: 1 }, { amount: 60, final: true }],
    ['of the rest, beside one under way', {}, { promised: 40, pending: 1, count: 1 }, { amount: 60, final: false }],
    ['of more than is held', { amount: 101 }, {}, 'capture_exceeds_authorization'],
    ['of more than is left', { amount: 61 }, { promised: 40, count: 1 }, 'capture_exceeds_authorization'],
    ['of what is all promised', {}, { promised: 100, count: 1 }, 'capture_exceeds_authorization'],
    ['behind the last one', { amount: 1 }, { promised: 40, count: 1, hasFinal: true }, 'payment_not_capturable'],
    ['behind too many', { amount: 1 }, { count: MAX_CAPTURES }, 'too_many_captures'],
    ['that is the last one, beside one under way', { amount: 1, final: true }, { promised: 1, pending: 1 }, 'busy'],
  ])('R58 %s', (_, body, others, expected) => {
    expect(planOf(body, held, others)).toEqual(expected);
  });

  it.each<[string, Partial<typeof held>, string]>([
    ['that is pending', { status: 'pending', captured: null }, 'payment_not_capturable'],
    ['that was taken at once', { status: 'succeeded', captured: null }, 'payment_not_capturable'],
    ['that was declined', { status: 'declined', captured: null }, 'payment_not_capturable'],
    ['that is undone', { undone: true }, 'payment_not_capturable'],
    ['whose time is over', { isExpired: true, captured: 40 }, 'authorization_expired'],
    [
      'that was given up when its time was over',
      { status: 'cancelled', declineReason: 'authorization_expired' },
      'authorization_expired',
    ],
  ])('R58 of a payment %s is refused', (_, changed, code) => {
    expect(planOf({ amount: 1 }, { ...held, ...changed })).toBe(code);
  });

  it('R58 counts what was captured elsewhere', () => {
    expect(planOf({ amount: 41 }, { ...held, captured: 60 })).toBe('capture_exceeds_authorization');
  });

  it('R58 of nothing that is there is not found', () => {
    expect((planCapture({}, undefined, none) as Problem).code).toBe('payment_not_found');
  });

  it('R20 has an id that follows from its claim', () => {
    expect(captureIdOf('a')).toBe(captureIdOf('a'));
    expect(captureIdOf('a')).toMatch(/^cap_[\w-]{27}$/);
  });
});
