/** Every currency of ISO 4217, in our units and in those of the provider. */
import { amountOfProvider, objectionToCharging, objectionToPaying, providerAmountOf } from './payable';

/** ISO 4217, by the number of decimals. */
const ISO: Record<number, string> = {
  0: 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF',
  2: `AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW
      CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR
      ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV
      MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD
      SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG`,
  3: 'BHD IQD JOD KWD LYD OMR TND',
  4: 'CLF UYW',
};
/** Funds, units of account and currencies that no card is charged in. */
const NOT_TAKEN = `
  BOV BTN CHE CHW CLF COU CUP ERN GHS IQD IRR KPW LYD MRU MXV SDG SSP STN SVC SYP TMT USN UYI UYW VED VES ZWG`;

/** The pages of the provider, word by word: without decimals, with three, and two special cases. */
const PROVIDER_WITHOUT_DECIMALS = 'BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF';
const PROVIDER_WITH_THREE = 'BHD JOD KWD OMR TND';

const list = (text: string) => text.trim().split(/\s+/);
const decimalsOf = new Map(
  Object.entries(ISO).flatMap(([decimals, currencies]) =>
    list(currencies).map((currency) => [currency, Number(decimals)]),
  ),
);
const taken = [...decimalsOf.keys()].filter((currency) => !list(NOT_TAKEN).includes(currency));
const providerDecimalsOf = (currency: string): number => {
  if (list(PROVIDER_WITHOUT_DECIMALS).includes(currency)) return 0;
  return list(PROVIDER_WITH_THREE).includes(currency) ? 3 : 2;
};

describe('R38 the amount that the provider is asked for', () => {
  it.each(taken)('is the same money in %s, there and back', (currency) => {
    // 7 000 whole units, such as 7 000 dollars.
    const amount = 7_000 * 10 ** decimalsOf.get(currency)!;
    const asked = providerAmountOf({ amount, currency });
    expect(asked).toBe(7_000 * 10 ** providerDecimalsOf(currency));
    expect(amountOfProvider(asked, currency)).toBe(amount);
  });

  it.each([
    ['USD', 4_200, 4_200],
    ['JPY', 500, 500],
    // 5001 krónur were once sent as 50.01.
    ['ISK', 5_001, 500_100],
    ['UGX', 5, 500],
    // 12 ariary.
    ['MGA', 1_200, 12],
    // 5.12 dinars.
    ['KWD', 5_120, 5_120],
    ['HUF', 1_045, 1_045],
    ['TWD', 80_045, 80_045],
  ])('of %s %d is %d', (currency, amount, asked) => {
    expect(providerAmountOf({ amount, currency })).toBe(asked);
    expect(amountOfProvider(asked, currency)).toBe(amount);
  });

  it.each([
    ['MGA', 1_250],
    ['BHD', 5_124],
    ['ISK', 1_000_000],
    ['XYZ', 100],
  ])('of %s %d does not exist', (currency, amount) => {
    expect(() => providerAmountOf({ amount, currency })).toThrow(RangeError);
  });

  it('in a currency or a part that does not exist is no amount of ours', () => {
    expect(() => amountOfProvider(50_01, 'ISK')).toThrow(RangeError);
    expect(() => amountOfProvider(100, 'XYZ')).toThrow(RangeError);
  });
});

describe('R38 what cannot be paid', () => {
  const codeOf = (currency: string, amount: number) => objectionToPaying({ currency, amount })?.code;

  it.each([...list(NOT_TAKEN), 'XXX', 'XAU', 'XTS', 'ABC', 'usd', ''])('is anything in %p', (currency) => {
    expect(codeOf(currency, 1_000)).toBe('currency_not_supported');
  });

  it.each<[string, number, string | undefined]>([
    ['EUR', 99_999_999, undefined],
    ['EUR', 100_000_000, 'amount_too_large'],
    ['JPY', 100_000_000, 'amount_too_large'],
    ['ISK', 999_999, undefined],
    ['ISK', 1_000_000, 'amount_too_large'],
    ['UGX', 1_000_000, 'amount_too_large'],
    ['MGA', 9_999_999_900, undefined],
    ['MGA', 10_000_000_000, 'amount_too_large'],
    ['MGA', 101, 'amount_not_payable'],
    ['KWD', 99_999_990, undefined],
    ['KWD', 99_999_999, 'amount_too_large'],
    ['KWD', 1_001, 'amount_not_payable'],
    ['EUR', Number.MAX_SAFE_INTEGER, 'amount_too_large'],
  ])('of %s %d: %p', (currency, amount, code) => {
    expect(codeOf(currency, amount)).toBe(code);
  });

  it('is never nothing: nobody has to pay it', () => {
    expect(codeOf('XYZ', 0)).toBeUndefined();
    expect(providerAmountOf({ amount: 0, currency: 'XYZ' })).toBe(0);
  });
});

describe('R38 what cannot be charged', () => {
  it.each<[string, number, string | undefined]>([
    ['EUR', 0, undefined],
    ['EUR', 1, 'amount_too_small'],
    ['EUR', 49, 'amount_too_small'],
    ['EUR', 50, undefined],
    ['JPY', 49, 'amount_too_small'],
    ['JPY', 50, undefined],
    ['HUF', 17_499, 'amount_too_small'],
    ['HUF', 17_500, undefined],
    // The provider names no smallest amount.
    ['ISK', 1, undefined],
    ['EUR', 100_000_000, 'amount_too_large'],
    ['XYZ', 100, 'currency_not_supported'],
  ])('of %s %d: %p', (currency, amount, code) => {
    expect(objectionToCharging({ amount, currency })?.code).toBe(code);
  });

  it('may be given back: a part of a charge may be smaller than any charge', () => {
    expect(objectionToPaying({ amount: 1, currency: 'EUR' })).toBeUndefined();
  });
});
