/** Reads a JSON body, and refuses what two parsers would read differently. So two documents never become one value. */
import { isUtf8 } from 'node:buffer';
import { Problem } from '@shop/problem';
import { isSafeNumber } from 'lossless-json';
import { MAX_DEPTH, tooDeep } from '../canonical-json';

/**
 * Returns the result of JSON.parse, if every other parser would return the same. A member that is there twice is
 * refused, even if both values are equal. A number is refused if its double has other digits, or if it is a whole
 * number beyond 2^53 - 1.
 * @throws Problem 400 `malformed_request`, `body_too_deep`, `body_too_many_values` or `json_…`; no detail repeats anything
 * of the body
 */
export function parseJson(bytes: Buffer): unknown {
  const text = textOf(bytes);
  const document = parse(text);
  const count: Count = { members: 0, values: 0 };
  countIn(document, count);
  // Without its strings, a text that JSON.parse accepts has one colon for each member. JSON.parse keeps only one of
  // equal members.
  const frame = text.replace(STRING, '');
  if (frame.split(':').length - 1 !== count.members) {
    throw refused('json_key_repeated', 'send no object that has the same key twice');
  }
  if (!(frame.match(NUMBER) ?? []).every(isExact)) {
    throw refused('json_number_not_exact', 'a number is too large, too small or too long to be kept as it is');
  }
  return document;
}

/**
 * An order with all the lines that it may have needs some hundred. 64 KB of small numbers took up to 24 ms to check and to
 * hash.
 */
const MAX_VALUES = 2_000;
const STRING = /"[^"\\]*(?:\\.[^"\\]*)*"/g;
const NUMBER = /-?\d[\d.eE+-]*/g;
/** Every double has at least 15 digits. */
const SHORT_NUMBER = /^-?[1-9]\d{0,14}$|^0$/;
const isExact = (number: string): boolean => SHORT_NUMBER.test(number) || isSafeNumber(number);

function textOf(bytes: Buffer): string {
  if (bytes.length === 0) throw refused('malformed_request', 'the body is empty; send a JSON document');
  if (!isUtf8(bytes)) throw refused('malformed_request', 'send the body in UTF-8');
  const text = bytes.toString();
  // RFC 8259 (section 8.1) does not let a sender add a byte order mark. The mark is invisible, so this answer names it.
  if (text.startsWith('\ufeff')) throw refused('malformed_request', 'send the body without a byte order mark');
  return text;
}

/** V8 parses without recursion, so any depth is fine here. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw refused('malformed_request', 'the request cannot be read; is the body valid JSON?');
  }
}

interface Count {
  /** Of all objects. */
  members: number;
  /** Objects, lists, texts, numbers and so on, at all levels. */
  values: number;
}

/** Counts, and checks every key and string at the same time. */
function countIn(value: unknown, count: Count, depth = 0): void {
  count.values += 1;
  if (count.values > MAX_VALUES) {
    throw refused('body_too_many_values', `send no more than ${MAX_VALUES} values in one document`);
  }
  if (typeof value === 'string') checkText(value);
  if (typeof value !== 'object' || value === null) return;
  if (depth === MAX_DEPTH) throw tooDeep();
  if (Array.isArray(value)) {
    for (const member of value as unknown[]) countIn(member, count, depth + 1);
    return;
  }
  // The keys are its own: JSON.parse has made this object.
  for (const key in value) {
    const member = (value as Record<string, unknown>)[key];
    checkText(key);
    if (reachesPrototype(key, member)) {
      throw refused('json_key_forbidden', 'send no key `__proto__`, and no `prototype` within `constructor`');
    }
    count.members += 1;
    countIn(member, count, depth + 1);
  }
}

/** UTF-8 is what is hashed and what PostgreSQL keeps. There, all halves of surrogate pairs become one character. */
const HALF_A_PAIR = /\p{Surrogate}/u;
const NOT_ASCII = /[^ -~]/;

function checkText(text: string): void {
  // Nearly all texts are plain ASCII.
  if (NOT_ASCII.test(text) && HALF_A_PAIR.test(text)) {
    throw refused('json_text_not_unicode', 'send no half of a surrogate pair');
  }
}

/**
 * Code that copies such a member into another object may change all objects. Fastify's own parser has the same rule.
 */
function reachesPrototype(key: string, member: unknown): boolean {
  return key === '__proto__' || (key === 'constructor' && Object.hasOwn(Object(member) as object, 'prototype'));
}

function refused(code: string, detail: string): Problem {
  return new Problem(400, code, detail);
}
