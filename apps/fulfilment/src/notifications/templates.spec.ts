/** What stands in the mails, for each kind and language. */
import { type NotificationData, templates } from './notification';
import { write } from './templates';

const orderId = '01a20621-a6cd-74b9-a1c3-459d717a98c4';
const alice = { displayName: 'Alice', locale: 'en-GB' };
const confirmed = (data: NotificationData = {}, reader = alice) =>
  write({ template: 'order-confirmed', orderId, data }, reader);

describe('a mail', () => {
  it.each(templates.flatMap((template) => ['en', 'de', 'fr'].map((locale) => [template, locale] as const)))(
    'of the kind %s can be written in %s, as text and as HTML that say the same',
    (template, locale) => {
      const data = { amount: 4_200, currency: 'EUR', trackingNumber: 'TRK-1', lines: [{ sku: 'cup', quantity: 2 }] };
      const { subject, text, html, language } = write({ template, orderId, data }, { ...alice, locale });
      expect(language).toBe(locale);
      expect(html).toContain(`<html lang="${locale}">`);
      expect(subject).toContain(orderId);
      for (const part of ['Alice', orderId, '42', 'TRK-1', '2 × cup']) {
        expect(text).toContain(part);
        expect(html).toContain(part);
      }
      for (const part of [subject, text, html]) expect(part).not.toMatch(/\{\w+\}|undefined/);
    },
  );

  it('is written in the language of the customer, or in English', () => {
    const of = (locale: string) => confirmed({}, { ...alice, locale });
    expect(of('de-AT').subject).toBe(`Ihre Bestellung ist bestätigt: ${orderId}`);
    expect(of('FR').subject).toBe(`Votre commande est confirmée : ${orderId}`);
    expect([of('ja'), of('en-US'), of('constructor'), of('__proto__')].map(({ subject }) => subject)).toEqual(
      Array(4).fill(`Your order is confirmed: ${orderId}`),
    );
    expect(of('ja').language).toBe('en');
    // Not every one that a profile can have is one for numbers too.
    expect(confirmed({ amount: 1, currency: 'EUR' }, { ...alice, locale: 'de-a' }).language).toBe('de');
  });

  it.each([
    ['en-GB', 123_456, 'EUR', '€1,234.56'],
    ['de', 123_456, 'EUR', '1.234,56 €'],
    ['en', 500, 'JPY', '¥500'],
    ['en', 4_200, 'KWD', 'KWD 4.200'],
  ])('writes money as %s does: %d %s is %s', (locale, amount, currency, expected) => {
    expect(confirmed({ amount, currency }, { ...alice, locale }).text).toContain(`: ${expected}\n`);
  });

  it('says why an order was cancelled, if the customer can understand it', () => {
    const because = (reason: string) => write({ template: 'order-cancelled', orderId, data: { reason } }, alice).text;
    expect(because('out_of_stock')).toContain('Reason: not in stock any more');
    for (const code of ['a_new_code', 'constructor']) expect(because(code)).not.toContain('Reason');
  });

  it('leaves out what is not known', () => {
    const { text, html } = confirmed();
    for (const word of ['Amount', 'Goods', 'Reason', 'Tracking number']) {
      expect(text).not.toContain(word);
      expect(html).not.toContain(word);
    }
  });

  it('gives money back also without an amount', () => {
    const { text } = write({ template: 'payment-refunded', orderId, data: {} }, alice);
    expect(text).toContain('YOU GET YOUR MONEY BACK');
  });

  it('shows no text of others as markup', () => {
    const trackingNumber = `"><img src=x onerror=alert(1)>`;
    const { html } = confirmed({ trackingNumber }, { displayName: '<script>alert(1)</script>', locale: 'en' });
    expect(html).not.toMatch(/<script|<img/);
    expect(html).toContain('&lt;script&gt;');
    expect(html).toContain('&quot;&gt;&lt;img');
  });

  it('keeps a name in its line, and takes nothing in it for a placeholder', () => {
    const { text } = confirmed({}, { displayName: 'Eve\r\nBcc: all@example.com\u202e {amount} $&', locale: 'en' });
    expect(text).toContain('Hello Eve Bcc: all@example.com {amount} $&,\n');
  });
});
