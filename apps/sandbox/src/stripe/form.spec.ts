import { fingerprintOf, readCharge, readRefund } from './form';
import type { StripeError } from './stripe-error';

const good = { amount: '100', currency: 'EUR', confirm: 'true', payment_method: 'tok_ok' };

describe('readCharge', () => {
  it('reads nested metadata from the flat form', () => {
    expect(readCharge({ ...good, 'metadata[commandId]': 'c', 'metadata[paymentId]': 'p' })).toEqual({
      amount: 100,
      currency: 'eur',
      source: 'tok_ok',
      metadata: { commandId: 'c', paymentId: 'p' },
    });
  });

  it.each([
    ['amount', { amount: undefined }],
    ['amount', { amount: '1.5' }],
    ['amount', { amount: '0' }],
    ['amount', { amount: '100000000' }],
    ['amount', { amount: ['1', '2'] }],
    ['currency', { currency: 'euro' }],
    ['currency', { currency: 'KPW' }],
    ['amount', { currency: 'ISK', amount: '5001' }],
    ['amount', { currency: 'UGX', amount: '150' }],
    ['amount', { currency: 'KWD', amount: '5124' }],
    ['confirm', { confirm: 'false' }],
    ['payment_method', { payment_method: '' }],
    ['payment_method', { payment_method: 'gold' }],
    ['metadata', { 'metadata[note]': 'x'.repeat(501) }],
  ])('names %s when the form has %p', (param, change) => {
    expect(faultOf(() => readCharge({ ...good, ...change }))).toMatchObject({ type: 'invalid_request_error', param });
  });
});

describe('the amounts that Stripe takes', () => {
  const codeOf = (currency: string, amount: string) =>
    (faultOf(() => readCharge({ ...good, currency, amount })) as { code?: string }).code;

  it('have eight digits', () => {
    expect(readCharge({ ...good, amount: '99999999' }).amount).toBe(99_999_999);
    expect([codeOf('EUR', '100000000'), codeOf('ISK', '100000000')]).toEqual(['amount_too_large', 'amount_too_large']);
  });

  it.each([
    ['ISK', '500100'],
    ['UGX', '500'],
    ['KWD', '5120'],
    ['MGA', '12'],
    ['JPY', '501'],
    ['HUF', '1045'],
  ])('exist in their currency: %s %s', (currency, amount) => {
    expect(readCharge({ ...good, currency, amount })).toMatchObject({ currency: currency.toLowerCase() });
  });
});

describe('readRefund', () => {
  it('leaves the amount open when none is given', () => {
    expect(readRefund({ payment_intent: 'pi_1' })).toEqual({ paymentIntent: 'pi_1', amount: undefined, metadata: {} });
  });
});

describe('fingerprintOf', () => {
  it('depends on the route and the parameters, not on their order', () => {
    const print = fingerprintOf('/a', { x: '1', y: '2' });
    expect(fingerprintOf('/a', { y: '2', x: '1' })).toBe(print);
    expect(fingerprintOf('/a', { x: '1', y: '3' })).not.toBe(print);
    expect(fingerprintOf('/b', { x: '1', y: '2' })).not.toBe(print);
  });
});

function faultOf(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return (error as StripeError).body.error;
  }
}
