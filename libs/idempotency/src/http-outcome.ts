/** What the ledger's decision looks like over HTTP. */
import { Problem } from '@shop/problem';
import type { Answer, Outcome } from './settle';

const IN_USE_RETRY_AFTER_SECONDS = '1';

export interface HttpAnswer {
  status: number;
  /** With the content type. */
  headers: Record<string, string>;
  body: string;
}

export function httpOutcome(outcome: Outcome): HttpAnswer {
  switch (outcome.kind) {
    case 'fresh':
      return httpAnswer(outcome.answer);
    case 'replayed':
      return httpAnswer(outcome.answer, { 'idempotent-replayed': 'true' });
    case 'reused':
      return httpAnswer(refusalOf(keyReused()));
    case 'in-use':
      return httpAnswer(refusalOf(keyInUse()), { 'retry-after': IN_USE_RETRY_AFTER_SECONDS });
  }
}

function httpAnswer({ status, headers, body }: Answer, further?: Record<string, string>): HttpAnswer {
  const type = status < 400 ? 'application/json; charset=utf-8' : 'application/problem+json';
  return { status, headers: { 'content-type': type, ...headers, ...further }, body };
}

/** A final refusal is an answer like any other: a repeat gets it again. */
export function refusalOf(problem: Problem): Answer {
  return { status: problem.getStatus(), body: JSON.stringify(problem.body) };
}

const keyReused = () =>
  new Problem(409, 'idempotency_key_reused', 'this Idempotency-Key was used for another request; use a new one');

const keyInUse = () =>
  new Problem(409, 'idempotency_key_in_use', 'the request with this Idempotency-Key is still being worked on');
