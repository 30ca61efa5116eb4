/** Reads Stripe's form-encoded parameters, with nesting in brackets: `amount=100&metadata[orderId]=7`. */
import { createHash } from 'node:crypto';
import type { ChargeForm } from './payment-intent';
import type { RefundForm } from './refund';
import { checkAmount, checkCurrency } from './currencies';
import { sourceOf } from './sources';
import { invalidParameter, missing, type StripeError } from './stripe-error';

/** As the HTTP adapter parses it: flat, with brackets in the names, and repeated names as an array. */
export type Form = Record<string, unknown>;

/** Stripe's own limits. */
const METADATA = /^metadata\[([^[\]]{1,40})\]$/;
const MAX_METADATA_KEYS = 50;
const MAX_METADATA_VALUE_LENGTH = 500;

/** @throws StripeError 400 that names the faulty parameter. */
export function readCharge(form: Form): ChargeForm {
  if (form['confirm'] !== 'true') throw invalidParameter('confirm', 'The sandbox only charges at once: confirm=true.');
  const currency = required(form, 'currency').toLowerCase();
  checkCurrency(currency);
  const source = required(form, 'payment_method');
  if (!sourceOf(source)) throw missing('PaymentMethod', source, { status: 400, param: 'payment_method' });
  const amount = amountOf(required(form, 'amount'));
  checkAmount(amount, currency);
  return { amount, currency, source, metadata: metadataOf(form) };
}

/** @throws StripeError 400 that names the faulty parameter. */
export function readRefund(form: Form): RefundForm {
  const amount = text(form, 'amount');
  return {
    paymentIntent: required(form, 'payment_intent'),
    amount: amount === undefined ? undefined : amountOf(amount),
    metadata: metadataOf(form),
  };
}

/** What was asked, in a form that can be compared: the same parameters in any order give the same text. */
export function fingerprintOf(route: string, form: Form): string {
  const parameters = Object.entries(form).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256')
    .update(JSON.stringify([route, parameters]))
    .digest('base64url');
}

function required(form: Form, name: string): string {
  const value = text(form, name);
  if (value === undefined || value === '') throw invalidParameter(name, `Missing required param: ${name}.`);
  return value;
}

function text(form: Form, name: string): string | undefined {
  const value = form[name];
  if (value === undefined || typeof value === 'string') return value;
  throw invalidParameter(name, `Invalid string: ${name}`);
}

function amountOf(value: string): number {
  const amount = Number(value);
  if (/^\d{1,15}$/.test(value) && amount >= 1) return amount;
  throw invalidParameter('amount', `Invalid integer: ${value}. Amounts are units of the currency, from 1.`);
}

function metadataOf(form: Form): Record<string, string> {
  const entries = Object.keys(form).flatMap((name) => {
    const key = METADATA.exec(name)?.[1];
    return key === undefined ? [] : [[key, required(form, name)] as const];
  });
  if (entries.length > MAX_METADATA_KEYS) throw tooMuchMetadata();
  if (entries.some(([, value]) => value.length > MAX_METADATA_VALUE_LENGTH)) throw tooMuchMetadata();
  return Object.fromEntries(entries);
}

function tooMuchMetadata(): StripeError {
  return invalidParameter(
    'metadata',
    `Metadata has at most ${MAX_METADATA_KEYS} keys, and values of at most ${MAX_METADATA_VALUE_LENGTH} characters.`,
  );
}
