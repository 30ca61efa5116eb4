/**
 * The currencies of Stripe and the amounts that it takes (https://docs.stripe.com/currencies). This is the provider's
 * view. It is written down here a second time and not taken from our contracts, so that tests notice a mistake there.
 */
import { invalidParameter, StripeError } from './stripe-error';

/** Eight digits. */
const MAX_AMOUNT = 99_999_999;

const presentment = new Set(
  `usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bhd bif bmd bnd bob brl bsd bwp byn bzd cad cdf chf clp cny
   cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf gtq gyd hkd hnl htg huf idr ils inr isk jmd
   jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt mop mur mvr mwk mxn myr mzn nad
   ngn nio nok npr nzd omr pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sek sgd shp sle sos srd std szl
   thb tjs tnd top try ttd twd tzs uah ugx uyu uzs vnd vuv wst xaf xcd xcg xof xpf yer zar zmw`.split(/\s+/),
);
/** They have no decimals any more, and their amounts still have two, which are 00. */
const TWO_EMPTY_DECIMALS = ['isk', 'ugx'];
/** The partners of Stripe know two of the three decimals, so the last one has to be 0. */
const THREE_DECIMALS = ['bhd', 'jod', 'kwd', 'omr', 'tnd'];

/** @throws StripeError 400 for a text that is no currency, or one that nobody can be charged in. */
export function checkCurrency(currency: string): void {
  if (!presentment.has(currency)) throw invalidParameter('currency', `Invalid currency: ${currency}`);
}

/** @throws StripeError 400 for an amount that does not exist in this currency, or is too large. */
export function checkAmount(amount: number, currency: string): void {
  if (amount > MAX_AMOUNT) {
    const message = `Amount must be no more than ${MAX_AMOUNT} ${currency}`;
    throw new StripeError(400, { type: 'invalid_request_error', code: 'amount_too_large', param: 'amount', message });
  }
  const step = TWO_EMPTY_DECIMALS.includes(currency) ? 100 : THREE_DECIMALS.includes(currency) ? 10 : 1;
  if (amount % step === 0) return;
  throw invalidParameter('amount', `Invalid amount: ${amount}. Amounts in ${currency} must be divisible by ${step}.`);
}

/** They have no decimals, and neither have their amounts. */
const NO_DECIMALS = 'bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf'.split(' ');

/** An amount as a person reads it: `42.00 USD`. */
export function readable(amount: number, currency: string): string {
  const decimals = NO_DECIMALS.includes(currency) ? 0 : THREE_DECIMALS.includes(currency) ? 3 : 2;
  return `${(amount / 10 ** decimals).toFixed(decimals)} ${currency.toUpperCase()}`;
}
