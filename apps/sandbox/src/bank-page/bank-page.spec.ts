import { newPaymentIntent, type PaymentIntent } from '../stripe/payment-intent';
import { question, sentence, wayBack } from './bank-page';

describe('the page of the bank', () => {
  it('shows what is paid', () => {
    expect(question(waiting()).html).toContain('42.00 USD');
    expect(question({ ...waiting(), currency: 'jpy' }).html).toContain('4200 JPY');
    expect(question({ ...waiting(), currency: 'kwd' }).html).toContain('4.200 KWD');
  });

  it('runs no scripts, and sends its form only to itself and on to the page of the shop', () => {
    const { policy } = question(waiting('https://shop.example/back?x=1'));
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("form-action 'self' https://shop.example;");
    expect(question(waiting()).policy).toContain("form-action 'self';");
  });

  it('shows no text as markup', () => {
    expect(question({ ...waiting(), id: '<script>' }).html).not.toContain('<script>');
    expect(sentence(404, '"<b>').html).toContain('&quot;&lt;b&gt;');
  });

  it('sends the customer back with the intent and what became of it, and keeps what the shop has in the address', () => {
    const intent = waiting('https://shop.example/back?order=7');
    expect(wayBack(intent, 'approve')).toBe(
      'https://shop.example/back?order=7&payment_intent=pi_1&redirect_status=succeeded',
    );
    expect(wayBack(intent, 'decline')).toContain('redirect_status=failed');
    expect(wayBack(waiting(), 'approve')).toBeUndefined();
  });
});

function waiting(returnUrl: string | null = null): PaymentIntent {
  const form = { amount: 4_200, currency: 'usd', source: 'tok_3ds', metadata: {}, captureMethod: 'automatic' } as const;
  return {
    ...newPaymentIntent(form, { id: 'pi_1', nowMs: 0 }),
    status: 'requires_action',
    next_action: {
      type: 'redirect_to_url',
      redirect_to_url: { url: 'http://bank/3ds/pi_1', return_url: returnUrl },
    },
  };
}
