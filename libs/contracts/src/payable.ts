/**
 * Which amounts can be paid, and how the payment provider counts them. Pure.
 *
 * We count in the minor units of ISO 4217. The provider (https://docs.stripe.com/currencies) counts some currencies in
 * other units, and it does not take every currency. An amount that it cannot take is refused at the doors, because
 * nobody could pay it later.
 */

/** In the units of the provider: eight digits. */
const MAX_PROVIDER_AMOUNT = 99_999_999;

/** How an amount in our units becomes an amount in the units of the provider. */
interface Unit {
  /** So many units of the provider are one of ours … */
  times: number;
  /** … or so many of ours are one of the provider. One of the two numbers is 1. */
  per: number;
  /** Only multiples of this amount, in our units, can be paid. */
  step: number;
}

const SAME: Unit = { times: 1, per: 1, step: 1 };
/** ISO has no minor unit any more. The provider still expects two decimals, which are always 00. */
const TWO_EMPTY_DECIMALS: Unit = { times: 100, per: 1, step: 1 };
/** ISO has two decimals, and the provider has none. */
const NO_DECIMALS: Unit = { times: 1, per: 100, step: 100 };
/** ISO and the provider have three decimals. The last one has to be 0, because the partners of the provider have two. */
const LAST_DIGIT_ZERO: Unit = { times: 1, per: 1, step: 10 };

/** ISO and the provider agree about the decimals of these: two, or none (as for JPY). */
const ALIKE = `
  AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BIF BMD BND BOB BRL BSD BWP BYN BZD CAD CDF CHF CLP CNY COP CRC
  CVE CZK DJF DKK DOP DZD EGP ETB EUR FJD FKP GBP GEL GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR JMD JPY KES KGS
  KHR KMF KRW KYD KZT LAK LBP LKR LRD LSL MAD MDL MKD MMK MNT MOP MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB
  PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SEK SGD SHP SLE SOS SRD STD SZL THB TJS TOP TRY TTD TWD TZS
  UAH USD UYU UZS VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW`;

const units = new Map<string, Unit>([
  ...ALIKE.trim()
    .split(/\s+/)
    .map((currency) => [currency, SAME] as const),
  ['ISK', TWO_EMPTY_DECIMALS],
  ['UGX', TWO_EMPTY_DECIMALS],
  ['MGA', NO_DECIMALS],
  ...['BHD', 'JOD', 'KWD', 'OMR', 'TND'].map((currency) => [currency, LAST_DIGIT_ZERO] as const),
]);

export interface Payable {
  /** Minor units of ISO 4217. */
  amount: number;
  /** ISO 4217, in capital letters. */
  currency: string;
}

/**
 * The smallest charge in our minor units. The provider names it for the currencies in which it pays out. Of the others,
 * it decides when it is asked.
 */
const SMALLEST: Readonly<Record<string, number>> = {
  AED: 200,
  AUD: 50,
  BGN: 100,
  BRL: 50,
  CAD: 50,
  CHF: 50,
  CZK: 1_500,
  DKK: 250,
  EUR: 50,
  GBP: 30,
  HKD: 400,
  HUF: 17_500,
  INR: 50,
  JPY: 50,
  MXN: 1_000,
  MYR: 200,
  NOK: 300,
  NZD: 50,
  PLN: 200,
  RON: 200,
  SEK: 300,
  SGD: 50,
  THB: 1_000,
  USD: 50,
};

/** Why an amount cannot be paid. `code` is stable. */
export interface PaymentObjection {
  code: 'currency_not_supported' | 'amount_not_payable' | 'amount_too_large' | 'amount_too_small';
  detail: string;
}

/** Undefined when the provider can move this amount, in one direction or the other. An amount of zero never reaches the provider. */
export function objectionToPaying({ amount, currency }: Payable): PaymentObjection | undefined {
  if (amount === 0) return undefined;
  const unit = units.get(currency);
  if (!unit) return { code: 'currency_not_supported', detail: `nobody can pay in ${currency} here` };
  if (amount > largestOf(unit)) {
    const detail = `the largest amount that can be paid in ${currency} is ${largestOf(unit)} minor units`;
    return { code: 'amount_too_large', detail };
  }
  if (amount % unit.step === 0) return undefined;
  const detail = `only multiples of ${unit.step} minor units can be paid in ${currency}`;
  return { code: 'amount_not_payable', detail };
}

/** The same for a charge, of which there is a smallest one. Nobody has to pay an amount of zero. */
export function objectionToCharging(money: Payable): PaymentObjection | undefined {
  const { amount, currency } = money;
  const smallest = SMALLEST[currency] ?? 0;
  if (amount === 0 || amount >= smallest) return objectionToPaying(money);
  const detail = `the smallest amount that can be paid in ${currency} is ${smallest} minor units`;
  return { code: 'amount_too_small', detail };
}

/** The amount in the units of the provider. @throws RangeError for an amount that cannot be paid */
export function providerAmountOf(payable: Payable): number {
  const objection = objectionToPaying(payable);
  if (objection) throw new RangeError(objection.detail);
  const { times, per } = units.get(payable.currency) ?? SAME;
  return (payable.amount * times) / per;
}

/** Our minor units of an amount of the provider. @throws RangeError for a currency or an amount that it does not have */
export function amountOfProvider(providerAmount: number, currency: string): number {
  const { times, per } = units.get(currency) ?? {};
  if (!times || !per) throw new RangeError(`the provider does not have the currency ${currency}`);
  const amount = (providerAmount * per) / times;
  if (Number.isSafeInteger(amount)) return amount;
  throw new RangeError(`${providerAmount} is not an amount of the provider in ${currency}`);
}

const largestOf = ({ times, per, step }: Unit): number => {
  const largest = Math.floor((MAX_PROVIDER_AMOUNT * per) / times);
  return largest - (largest % step);
};
