/** Expects an answer to be a problem (RFC 9457) with our stable code. */
import type { Answer } from './test-client';

/** @param members what else it says; a regular expression stands for a text that matches it */
export function expectProblem(
  answer: Answer,
  status: number,
  code: string,
  members: Record<string, unknown> = {},
): void {
  const body = answer.json<Record<string, unknown>>();
  expect({ status: answer.statusCode, code: body['code'] }).toEqual({ status, code });
  expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
  const text = expect.any(String) as string;
  expect(body).toMatchObject({ type: `urn:shop:problem:${code}`, title: text, detail: text, status });
  expect(body).toMatchObject(matching(members) as Record<string, unknown>);
  expect(body).not.toHaveProperty('stack');
}

function matching(value: unknown): unknown {
  if (value instanceof RegExp) return expect.stringMatching(value);
  if (Array.isArray(value)) return value.map(matching);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, matching(member)]));
}
