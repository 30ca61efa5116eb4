/** One text for every spelling of the same JSON document: keys in order, no white space. */
import { Problem } from '@shop/problem';

/** Real documents are a few levels deep; one that is nested to the body limit would end the call stack. */
export const MAX_DEPTH = 200;

/**
 * `value` comes from parseJson or JSON.parse; numbers are already in one form. Keys stand in the order of their UTF-16
 * units, and half a surrogate pair as its escape, so that UTF-8 keeps it. @throws Problem 400 `body_too_deep`
 */
export function canonicalJson(value: unknown, depth = 0): string {
  if (typeof value === 'string') return quote(value);
  if (Number.isFinite(value)) return String(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  if (depth === MAX_DEPTH) throw tooDeep();
  let text = '';
  if (Array.isArray(value)) {
    for (const member of value) text += (text && ',') + canonicalJson(member, depth + 1);
    return '[' + text + ']';
  }
  const record = value as Record<string, unknown>;
  for (const key of sort(Object.keys(record))) {
    const member = record[key];
    if (member !== undefined) text += (text && ',') + quote(key) + ':' + canonicalJson(member, depth + 1);
  }
  return '{' + text + '}';
}

export function tooDeep(): Problem {
  return new Problem(400, 'body_too_deep', `send no more than ${MAX_DEPTH} levels of JSON`);
}

/** What JSON.stringify would escape: the rest needs only its quotes, which is most texts of a request. */
// eslint-disable-next-line no-control-regex
const TO_ESCAPE = /["\\\u0000-\u001f\ud800-\udfff]/;

function quote(text: string): string {
  return TO_ESCAPE.test(text) ? JSON.stringify(text) : '"' + text + '"';
}

/** Above this many keys, an insertion sort in JavaScript is slower than the general one. */
const FEW_KEYS = 16;

function sort(keys: string[]): string[] {
  if (keys.length > FEW_KEYS) return keys.sort();
  for (let next = 1; next < keys.length; next++) {
    const key = keys[next]!;
    let at = next;
    for (; at > 0 && keys[at - 1]! > key; at--) keys[at] = keys[at - 1]!;
    keys[at] = key;
  }
  return keys;
}
