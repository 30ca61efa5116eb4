/** What a route's method says of its repeats, as the decorator keeps it and everybody else reads it. */
import { defaultPolicy, type RoutePolicy } from '../policy';

/**
 * - `atomic`: the key, the effect and the answer commit together.
 * - `leased`: the work calls outside; the key is leased and the work resumed after a crash.
 * - `natural`: the method converges by itself (PUT to a name, DELETE).
 * - `none`: repeating is harmless for the given reason.
 */
export type IdempotencyStrategy =
  | ({ strategy: 'atomic' | 'leased' } & Partial<RoutePolicy>)
  | { strategy: 'natural' }
  | { strategy: 'none'; reason: string };

export const IDEMPOTENCY_STRATEGY = 'shop:idempotency-strategy';
export const IDEMPOTENCY_POLICY = 'shop:idempotency-policy';

/** Whether the client names the request with an Idempotency-Key. */
export function isKeyed(
  declared: IdempotencyStrategy | undefined,
): declared is Extract<IdempotencyStrategy, Partial<RoutePolicy>> & { strategy: 'atomic' | 'leased' } {
  return declared?.strategy === 'atomic' || declared?.strategy === 'leased';
}

export function strategyOf(handler: Function): IdempotencyStrategy | undefined {
  return Reflect.getMetadata(IDEMPOTENCY_STRATEGY, handler) as IdempotencyStrategy | undefined;
}

/** The policy of a keyed route's method. */
export function policyOf(handler: Function): RoutePolicy {
  return (Reflect.getMetadata(IDEMPOTENCY_POLICY, handler) as RoutePolicy | undefined) ?? defaultPolicy;
}
