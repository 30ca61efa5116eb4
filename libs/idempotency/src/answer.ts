/** What is answered to a request or command, and ways to make it. */
import type { Problem } from '@shop/problem';

/** The answer to the first request and to every repeat. */
export interface Answer {
  /** HTTP status code. */
  status: number;
  headers?: Record<string, string>;
  /** JSON text, kept byte for byte. */
  body: string;
  /**
   * False for an answer that is true only now. It is sent but not stored, and the same key may come again. By default,
   * a final answer is kept: a success, or a refusal that the same request would get again.
   */
  kept?: boolean;
}

/** An answer with a JSON body. `value` is serialized once, and every repeat gets the same bytes. */
export function answerWith(status: number, value: unknown, headers?: Record<string, string>): Answer {
  return { status, headers, body: JSON.stringify(value) };
}

/** A final refusal is an answer like any other: a repeat gets it again. */
export function refusalOf(problem: Problem): Answer {
  const headers = Object.keys(problem.headers).length > 0 ? problem.headers : undefined;
  return { status: problem.getStatus(), headers, body: JSON.stringify(problem.body) };
}
