import { plural, sayLength, sayMoney, sayRate, sayWhen } from './say';

describe('a length of time', () => {
  it.each([
    [0, '0 ms'],
    [340.4, '340 ms'],
    [4_200, '4.2 s'],
    [42_000, '42 s'],
    [119_000, '119 s'],
    [185_000, '3 min'],
    [3_600_000, '1 h'],
    [7_500_000, '2 h 5 min'],
    [3 * 86_400_000 + 7_200_000, '3 d 2 h'],
  ])('of %d ms is %s', (ms, text) => expect(sayLength(ms)).toBe(text));

  it('is before or after now', () => {
    expect(sayWhen(0, 4_200)).toBe('4.2 s ago');
    expect(sayWhen(60_000, 0)).toBe('in 60 s');
    expect(sayWhen(500, 0)).toBe('now');
  });
});

it('money has the digits of its currency', () => {
  expect(sayMoney(3_998, 'EUR')).toBe('€39.98');
  expect(sayMoney(3_998, 'JPY')).toBe('¥3,998');
  expect(sayMoney(7, '??')).toBe('7 ??');
});

it('a rate has as many digits as help', () => {
  expect([0.1234, 12.34, 123.4, null].map(sayRate)).toEqual(['0.12', '12.3', '123', '–']);
});

it('one is not many', () => {
  expect([plural(1, 'saga'), plural(1_500, 'saga')]).toEqual(['1 saga', '1,500 sagas']);
});
