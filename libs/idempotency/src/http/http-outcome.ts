/** Turns the decision of the ledger into an HTTP response. */
import { Problem } from '@shop/problem';
import { type Answer, refusalOf } from '../answer';
import { defaultPolicy, type RoutePolicy } from '../policy';
import type { Outcome } from '../settle';

const IN_USE_RETRY_AFTER_SECONDS = '1';

export interface HttpAnswer {
  status: number;
  /** Includes the content type. */
  headers: Record<string, string>;
  body: string;
}

/** @param key of the request; while the request is being processed, the answer says where its state can be read */
export function httpOutcome(outcome: Outcome, policy: RoutePolicy = defaultPolicy, key?: string): HttpAnswer {
  switch (outcome.kind) {
    case 'fresh':
      return httpAnswer(outcome.answer);
    case 'replayed': {
      const again = httpAnswer(outcome.answer, { 'idempotent-replayed': 'true' });
      const asSuccess = policy.replayStatus !== 'same' && again.status < 400;
      return asSuccess ? { ...again, status: policy.replayStatus as number } : again;
    }
    case 'reused':
      return httpAnswer(refusalOf(keyReused(policy.mismatchStatus)));
    case 'in-use':
      return httpAnswer(refusalOf(keyInUse(policy.inUseStatus, key)), { 'retry-after': IN_USE_RETRY_AFTER_SECONDS });
    case 'erased':
      return httpAnswer(refusalOf(keyErased()));
  }
}

function httpAnswer({ status, headers, body }: Answer, further?: Record<string, string>): HttpAnswer {
  const type = status < 400 ? 'application/json; charset=utf-8' : 'application/problem+json';
  return { status, headers: { 'content-type': type, ...headers, ...further }, body };
}

/** For a repeat whose answer is gone. It is kept like any final refusal, so the next repeat finds it in the ledger. */
export function alreadySubmitted(statusUrl: string, detail: string): Problem {
  return new Problem(409, 'already_submitted', detail, { extensions: { statusUrl }, headers: { location: statusUrl } });
}

/**
 * The answer to another request under a used key, when the effect is known and its answer is gone. It is not kept:
 * under this key, the ledger may know only the request that had the effect.
 */
export function reusedAnswer(): Answer {
  return { ...refusalOf(keyReused(defaultPolicy.mismatchStatus)), kept: false };
}

const keyReused = (status: number) =>
  new Problem(status, 'idempotency_key_reused', 'this Idempotency-Key was used for another request; use a new one');

const keyInUse = (status: number, key?: string) =>
  new Problem(status, 'idempotency_key_in_use', 'the request with this Idempotency-Key is still being worked on', {
    extensions: {
      state: 'processing',
      ...(key !== undefined && { statusUrl: `/idempotency-keys/${encodeURIComponent(key)}` }),
    },
  });

const keyErased = () =>
  new Problem(410, 'idempotency_key_erased', 'the request with this key was carried out; its answer has been erased');
