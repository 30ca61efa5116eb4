/** What the ledger's decision looks like over HTTP. */
import { Problem } from '@shop/problem';
import type { Answer, Outcome } from './settle';

const IN_USE_RETRY_AFTER_SECONDS = '1';

export interface HttpAnswer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** @throws Problem 409 `idempotency_key_reused` or `idempotency_key_in_use` */
export function httpOutcome(outcome: Outcome): HttpAnswer {
  switch (outcome.kind) {
    case 'fresh':
      return { status: outcome.answer.status, headers: outcome.answer.headers ?? {}, body: outcome.answer.body };
    case 'replayed':
      return {
        status: outcome.answer.status,
        headers: { ...outcome.answer.headers, 'idempotent-replayed': 'true' },
        body: outcome.answer.body,
      };
    case 'reused':
      throw new Problem(
        409,
        'idempotency_key_reused',
        'this Idempotency-Key was used for another request; use a new one',
      );
    case 'in-use':
      throw keyInUse();
  }
}

/** A final refusal is an answer like any other: a repeat gets it again. */
export function refusalOf(problem: Problem): Answer {
  return { status: problem.getStatus(), body: JSON.stringify(problem.body) };
}

export function keyInUse(): Problem {
  return new Problem(409, 'idempotency_key_in_use', 'the request with this Idempotency-Key is still being worked on', {
    headers: { 'retry-after': IN_USE_RETRY_AFTER_SECONDS },
  });
}
