/** One text for every spelling of the same JSON document: keys in order, no white space. */
import { Problem } from '@shop/problem';

/** Real documents are a few levels deep; one that is nested to the body limit would end the call stack. */
const MAX_DEPTH = 200;

/** `value` comes from JSON.parse; numbers and strings are already in one form. @throws Problem 400 `body_too_deep` */
export function canonicalJson(value: unknown, depth = 0): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  if (depth === MAX_DEPTH) throw new Problem(400, 'body_too_deep', `send no more than ${MAX_DEPTH} levels of JSON`);
  let text = '';
  if (Array.isArray(value)) {
    for (const member of value) text += `${text && ','}${canonicalJson(member, depth + 1)}`;
    return `[${text}]`;
  }
  const record = value as Record<string, unknown>;
  for (const key of Object.keys(record).sort()) {
    const member = record[key];
    if (member !== undefined) text += `${text && ','}${JSON.stringify(key)}:${canonicalJson(member, depth + 1)}`;
  }
  return `{${text}}`;
}
