/** Reads Stripe's form-encoded parameters, with nesting in brackets: `amount=100&metadata[orderId]=7`. */
import { createHash } from 'node:crypto';
import { invalidParameter, type StripeError } from './stripe-error';

/** As the HTTP adapter parses it: flat, with brackets in the names, and repeated names as an array. */
export type Form = Record<string, unknown>;

/** Stripe's own limits. */
const METADATA = /^metadata\[([^[\]]{1,40})\]$/;
const MAX_METADATA_KEYS = 50;
const MAX_METADATA_VALUE_LENGTH = 500;

/** What was asked, in a form that can be compared: the same parameters in any order give the same text. */
export function fingerprintOf(route: string, form: Form): string {
  const parameters = Object.entries(form).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256')
    .update(JSON.stringify([route, parameters]))
    .digest('base64url');
}

export function required(form: Form, name: string): string {
  const value = text(form, name);
  if (value === undefined || value === '') throw invalidParameter(name, `Missing required param: ${name}.`);
  return value;
}

export function text(form: Form, name: string): string | undefined {
  const value = form[name];
  if (value === undefined || typeof value === 'string') return value;
  throw invalidParameter(name, `Invalid string: ${name}`);
}

export function flag(form: Form, name: string): boolean | undefined {
  const value = text(form, name);
  if (value === undefined) return undefined;
  if (value === 'true' || value === 'false') return value === 'true';
  throw invalidParameter(name, `Invalid boolean: ${value}`);
}

export function oneOf<T extends string>(form: Form, name: string, values: readonly T[]): T | undefined {
  const value = text(form, name);
  const known = values.find((each) => each === value);
  if (value === undefined || known !== undefined) return known;
  throw invalidParameter(name, `Invalid ${name}: must be one of ${values.join(', ')}`);
}

export function amountOf(form: Form, name: string, { min = 1 } = {}): number | undefined {
  const value = text(form, name);
  if (value === undefined) return undefined;
  const amount = Number(value);
  if (/^\d{1,15}$/.test(value) && amount >= min) return amount;
  throw invalidParameter(name, `Invalid integer: ${value}. Amounts are units of the currency, from ${min}.`);
}

export function metadataOf(form: Form): Record<string, string> {
  const entries = Object.keys(form).flatMap((name) => {
    const key = METADATA.exec(name)?.[1];
    return key === undefined ? [] : [[key, required(form, name)] as const];
  });
  if (entries.length > MAX_METADATA_KEYS) throw tooMuchMetadata();
  if (entries.some(([, value]) => value.length > MAX_METADATA_VALUE_LENGTH)) throw tooMuchMetadata();
  return Object.fromEntries(entries);
}

/** What a list names: `expand[]=latest_charge`, or with a number in the brackets. */
export function listOf(form: Form, list: 'expand' | 'types'): string[] {
  const isItem = (name: string) => name.startsWith(`${list}[`) && /^\[\d*\]$/.test(name.slice(list.length));
  return Object.entries(form).flatMap(([name, value]) => (isItem(name) ? [value].flat() : []).map(String));
}

function tooMuchMetadata(): StripeError {
  return invalidParameter(
    'metadata',
    `Metadata has at most ${MAX_METADATA_KEYS} keys, and values of at most ${MAX_METADATA_VALUE_LENGTH} characters.`,
  );
}
