/** The strategy of a route, as the decorator stores it and all other code reads it. */
import { defaultPolicy, type RoutePolicy } from '../policy';

/**
 * - `atomic`: the key, the effect and the answer commit together.
 * - `leased`: the work makes an outside call. Its key is leased, and the work is resumed after a crash.
 * - `natural`: the method converges by itself (PUT to a name, DELETE).
 * - `none`: a repeat is harmless for the given reason.
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
