import { fingerprintOf, listOf } from './form';
import { readCancellation, readCapture, readConfirmation, readIntent, readRefund } from './requests';
import type { StripeError } from './stripe-error';

const good = { amount: '100', currency: 'EUR', confirm: 'true', payment_method: 'tok_ok' };

describe('readIntent', () => {
  it('reads nested metadata from the flat form', () => {
    expect(readIntent({ ...good, 'metadata[commandId]': 'c', 'metadata[paymentId]': 'p' })).toEqual({
      form: {
        amount: 100,
        currency: 'eur',
        source: 'tok_ok',
        metadata: { commandId: 'c', paymentId: 'p' },
        captureMethod: 'automatic_async',
        multicapture: undefined,
      },
      confirmation: { source: 'tok_ok', returnUrl: undefined, failsOnAction: false },
    });
  });

  it('needs no source when it does not confirm', () => {
    const asked = readIntent({
      amount: '100',
      currency: 'EUR',
      capture_method: 'manual',
      'payment_method_options[card][request_multicapture]': 'if_available',
    });
    expect(asked.form).toMatchObject({ source: undefined, captureMethod: 'manual', multicapture: true });
    expect(asked.confirmation).toBeUndefined();
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
    ['confirm', { confirm: 'yes' }],
    ['capture_method', { capture_method: 'later' }],
    ['return_url', { return_url: 'javascript:alert(1)' }],
    ['return_url', { confirm: 'false', return_url: 'https://shop.example' }],
    ['error_on_requires_action', { confirm: undefined, error_on_requires_action: 'true' }],
    ['payment_method', { payment_method: undefined }],
    ['payment_method', { payment_method: '' }],
    ['payment_method', { payment_method: 'gold' }],
    ['metadata', { 'metadata[note]': 'x'.repeat(501) }],
  ])('names %s when the form has %p', (param, change) => {
    expect(faultOf(() => readIntent({ ...good, ...change }))).toMatchObject({ type: 'invalid_request_error', param });
  });
});

describe('the amounts that Stripe takes', () => {
  const codeOf = (currency: string, amount: string) =>
    (faultOf(() => readIntent({ ...good, currency, amount })) as { code?: string }).code;

  it('have eight digits', () => {
    expect(readIntent({ ...good, amount: '99999999' }).form.amount).toBe(99_999_999);
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
    expect(readIntent({ ...good, currency, amount }).form).toMatchObject({ currency: currency.toLowerCase() });
  });
});

describe('the other requests', () => {
  it('read what confirms', () => {
    const form = {
      payment_method: 'tok_3ds',
      return_url: 'https://shop.example/back',
      error_on_requires_action: 'true',
    };
    expect(readConfirmation(form)).toEqual({
      source: 'tok_3ds',
      returnUrl: 'https://shop.example/back',
      failsOnAction: true,
    });
  });

  it('read what captures: everything, as the last capture, unless they say so', () => {
    expect(readCapture({})).toEqual({ amount: undefined, final: true, metadata: {} });
    const part = { amount_to_capture: '0', final_capture: 'false', 'metadata[cap_1]': '0' };
    expect(readCapture(part)).toEqual({ amount: 0, final: false, metadata: { cap_1: '0' } });
  });

  it('read why an intent is cancelled, and know the reasons', () => {
    expect([readCancellation({}), readCancellation({ cancellation_reason: 'duplicate' })]).toEqual([null, 'duplicate']);
    expect(faultOf(() => readCancellation({ cancellation_reason: 'automatic' }))).toMatchObject({
      param: 'cancellation_reason',
    });
  });

  it('read what is to be expanded', () => {
    expect(
      listOf({ 'expand[0]': 'latest_charge', 'expand[]': ['a', 'b'], expanded: 'c', 'types[0]': 'd' }, 'expand'),
    ).toEqual(['latest_charge', 'a', 'b']);
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
