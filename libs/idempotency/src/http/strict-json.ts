/** Reads a JSON body and refuses what JSON.parse would drop or round, so that no two documents become one value. */
import { isUtf8 } from 'node:buffer';
import { Problem } from '@shop/problem';
import { MAX_DEPTH, tooDeep } from '../canonical-json';

/**
 * What JSON.parse answers, if that is the whole document.
 * @throws Problem 400 `malformed_request`, `body_too_deep` or `json_…`; no detail repeats anything of the body
 */
export function parseJson(bytes: Buffer): unknown {
  const text = textOf(bytes);
  const { keys, oddNumbers } = skim(bytes);
  const document = parse(text);
  if (!oddNumbers.every(isExact)) {
    throw refused('json_number_not_exact', 'a number is too large, too small or too long to be kept as it is');
  }
  // The bytes are UTF-8, which has no half of a surrogate pair: only an escape can spell one.
  const kept = countKeys(document, text.includes('\\u'));
  // JSON.parse keeps one of several members with the same key, so it kept them all if and only if no key is repeated.
  if (kept !== keys) throw refused('json_key_repeated', 'send no object that has the same key twice');
  return document;
}

function textOf(bytes: Buffer): string {
  if (bytes.length === 0) throw refused('malformed_request', 'the body is empty; send a JSON document');
  if (!isUtf8(bytes)) throw refused('malformed_request', 'send the body in UTF-8');
  const text = bytes.toString();
  // RFC 8259 (section 8.1) lets no sender add it. As nobody sees it, the general answer would be a riddle.
  if (text.startsWith('\ufeff')) throw refused('malformed_request', 'send the body without a byte order mark');
  return text;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw refused('malformed_request', 'the request cannot be read; is the body valid JSON?');
  }
}

function refused(code: string, detail: string): Problem {
  return new Problem(400, code, detail);
}

/** Two decimals of up to 15 digits are never the same double, and so few characters without exponent are no more. */
const SURELY_EXACT_LENGTH = 15;

/**
 * Looks at the bytes for what JSON.parse hides: how many members there are, and which numbers may not be exact. It
 * comes first, so that no parser has to bear the depth. What it makes of bytes that are no JSON does not matter.
 */
function skim(bytes: Buffer): { keys: number; oddNumbers: string[] } {
  const oddNumbers: string[] = [];
  let keys = 0;
  let depth = 0;
  for (let at = 0; at < bytes.length;) {
    const start = at++;
    switch (bytes[start]) {
      case 0x22: // "
        at = endOfString(bytes, at);
        break;
      case 0x3a: // :
        keys++;
        break;
      case 0x5b: // [
      case 0x7b: // {
        if (++depth > MAX_DEPTH) throw tooDeep();
        break;
      case 0x5d: // ]
      case 0x7d: // }
        depth--;
        break;
      default:
        if (!isPlain(bytes[start])) break;
        while (isPlain(bytes[at])) at++;
        if (at - start <= SURELY_EXACT_LENGTH && !isExponent(bytes[at])) break;
        while (isPlain(bytes[at]) || isExponent(bytes[at])) at++;
        oddNumbers.push(bytes.toString('latin1', start, at));
    }
  }
  return { keys, oddNumbers };
}

/** The index after the quote that ends the string whose first character is at `at`. */
function endOfString(bytes: Buffer, at: number): number {
  while (at < bytes.length && bytes[at] !== 0x22) at += bytes[at] === 0x5c ? 2 : 1;
  return at + 1;
}

/** A digit, a minus or a point; a slash too, which JSON has only in strings. */
function isPlain(byte = 0): boolean {
  return byte >= 0x2d && byte <= 0x39;
}

/** `e`, `E` or the plus that may follow. */
function isExponent(byte?: number): boolean {
  return byte === 0x65 || byte === 0x45 || byte === 0x2b;
}

/** Whether the shortest decimal that stands for the number's double, which is what anybody will print, is the number. */
function isExact(token: string): boolean {
  return decimalOf(token) === decimalOf(String(Number(token)));
}

/** One text for every spelling of a decimal, without its sign: `-01.50e3` is `15e2`. No loop here may be quadratic. */
function decimalOf(token: string): string {
  const [mantissa = '', power = '0'] = token.toLowerCase().split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  const digits = (whole + fraction).replace(/^-?0*/, '');
  let end = digits.length;
  while (digits[end - 1] === '0') end--;
  return end === 0 ? '0' : `${digits.slice(0, end)}e${Number(power) - fraction.length + digits.length - end}`;
}

/** Counts the members of all objects, and looks at each key and, if there are escapes at all, at each text. */
function countKeys(value: unknown, hasEscapes: boolean): number {
  if (typeof value === 'string' && hasEscapes) checkText(value);
  if (typeof value !== 'object' || value === null) return 0;
  let count = 0;
  if (Array.isArray(value)) {
    for (const member of value) count += countKeys(member, hasEscapes);
    return count;
  }
  const record = value as Record<string, unknown>;
  for (const key of Object.keys(record)) {
    const member = record[key];
    if (hasEscapes) checkText(key);
    if (reachesPrototype(key, member)) {
      throw refused('json_key_forbidden', 'send no key `__proto__`, and no `prototype` within `constructor`');
    }
    count += 1 + countKeys(member, hasEscapes);
  }
  return count;
}

/** Whoever copies such a member into another object may change all objects; the rule of Fastify's own parser. */
function reachesPrototype(key: string, member: unknown): boolean {
  return key === '__proto__' || (key === 'constructor' && Object.hasOwn(Object(member) as object, 'prototype'));
}

/** In UTF-8, which is what is hashed and what PostgreSQL keeps, all lone surrogates become one character. */
const LONE_SURROGATE = /\p{Surrogate}/u;

function checkText(text: string): void {
  if (LONE_SURROGATE.test(text)) throw refused('json_text_not_unicode', 'send no half of a surrogate pair');
}
