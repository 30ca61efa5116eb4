/** What makes a route safe to repeat; every mutating route names its strategy. */
import { applyDecorators, SetMetadata } from '@nestjs/common';
import { ApiExtension, ApiHeader, ApiResponse } from '@nestjs/swagger';
import { defaultPolicy, describePolicy, type RoutePolicy } from '../policy';

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
const IDEMPOTENCY_POLICY = 'shop:idempotency-policy';
/** Where the OpenAPI document tells a route's strategy and policy. */
export const OPENAPI_EXTENSION = 'x-idempotency';

export function Idempotent(declared: IdempotencyStrategy): MethodDecorator {
  const strategy = SetMetadata(IDEMPOTENCY_STRATEGY, declared);
  if (!isKeyed(declared)) return applyDecorators(strategy, ApiExtension(OPENAPI_EXTENSION, declared));
  const { strategy: name, ...chosen } = declared;
  const policy: RoutePolicy = { ...defaultPolicy, ...chosen };
  return applyDecorators(
    strategy,
    SetMetadata(IDEMPOTENCY_POLICY, policy),
    ApiExtension(OPENAPI_EXTENSION, { strategy: name, ...describePolicy(policy) }),
    ...keyedDocs(policy),
  );
}

/** Whether the client names the request with an Idempotency-Key. */
export function isKeyed(
  declared: IdempotencyStrategy | undefined,
): declared is Extract<IdempotencyStrategy, Partial<RoutePolicy>> & { strategy: 'atomic' | 'leased' } {
  return declared?.strategy === 'atomic' || declared?.strategy === 'leased';
}

/** The policy of a keyed route's method. */
export function policyOf(handler: Function): RoutePolicy {
  return (Reflect.getMetadata(IDEMPOTENCY_POLICY, handler) as RoutePolicy | undefined) ?? defaultPolicy;
}

const keyedDocs = ({ retentionHours, inUseStatus, mismatchStatus }: RoutePolicy): MethodDecorator[] => [
  ApiHeader({
    name: 'Idempotency-Key',
    required: true,
    description:
      'The name of this request, 1 to 255 visible ASCII characters, new for each new request (a UUID is fine). ' +
      'A repeat with the same key and the same request gets the first answer again, with Idempotent-Replayed: true, ' +
      `for ${retentionHours} hours. GET /idempotency-keys/{key} tells the state of a key.`,
  }),
  ApiHeader({
    name: 'Prefer',
    required: false,
    description: 'wait=N: how many seconds, at most 30, to wait for a request with the same key that is under way',
  }),
  ApiResponse({ status: 400, description: 'idempotency_key_missing, idempotency_key_invalid or validation_failed' }),
  ...[...new Set([inUseStatus, mismatchStatus, 410])].map((status) =>
    ApiResponse({ status, description: codesOf(status, { inUseStatus, mismatchStatus }).join(', ') }),
  ),
];

function codesOf(status: number, { inUseStatus, mismatchStatus }: Pick<RoutePolicy, 'inUseStatus' | 'mismatchStatus'>) {
  return [
    ...(status === mismatchStatus ? ['idempotency_key_reused (another request)'] : []),
    ...(status === inUseStatus ? ['idempotency_key_in_use (under way; come again after Retry-After)'] : []),
    ...(status === 410 ? ['idempotency_key_erased'] : []),
  ];
}
