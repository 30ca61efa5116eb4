import { countText, dateText, moneyText, rateText, standardLetters } from './printed-text';

describe('R39 what is printed', () => {
  it.each([
    [0, 'EUR', '0.00'],
    [5, 'EUR', '0.05'],
    [123_456, 'EUR', '1,234.56'],
    [-123_456, 'EUR', '-1,234.56'],
    [1_234_567, 'JPY', '1,234,567'],
    [1_234_567, 'BHD', '1,234.567'],
    [Number.MAX_SAFE_INTEGER, 'USD', '90,071,992,547,409.91'],
  ])('R39 shows %i minor units of %s as %s', (amount, currency, text) => {
    expect(moneyText(amount, currency)).toBe(text);
  });

  it('R39 shows rates in percent, and days without their time', () => {
    expect([1_900, 700, 750, 1_025, 0].map(rateText)).toEqual(['19 %', '7 %', '7.5 %', '10.25 %', '0 %']);
    expect(dateText('2026-03-01T23:59:59.999Z')).toBe('2026-03-01');
    expect([0, 999, 1_000_000].map(countText)).toEqual(['0', '999', '1,000,000']);
  });

  it.each([
    ['cup-1', 'cup-1'],
    ['Käse für Zoë – 5 €', 'Käse für Zoë – 5 €'],
    ['Łódź', 'Lódz'],
    ['Žižkov', 'Žižkov'],
    ['Ščepán', 'Šcepán'],
    ['ﬁne №1', 'fine No1'],
    ['寿司 Ω', '?? ?'],
    ['😀', '?'],
    ['a\nb\u0000', 'a b?'],
  ])('R39 prints %j as %j', (text, printed) => {
    expect(standardLetters(text)).toBe(printed);
  });
});
