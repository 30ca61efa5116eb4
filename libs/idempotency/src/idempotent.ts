/** What makes a route safe to repeat; every mutating route names its strategy. */
import { applyDecorators, SetMetadata } from '@nestjs/common';
import { ApiHeader, ApiResponse } from '@nestjs/swagger';

/**
 * - `atomic`: the key, the effect and the answer commit together.
 * - `leased`: the work calls outside; the key is leased and the work resumed after a crash.
 * - `natural`: the method converges by itself (PUT to a name, DELETE).
 * - `none`: repeating is harmless for the given reason.
 */
export type IdempotencyStrategy =
  { strategy: 'atomic' } | { strategy: 'leased' } | { strategy: 'natural' } | { strategy: 'none'; reason: string };

export const IDEMPOTENCY_STRATEGY = 'shop:idempotency-strategy';

export function Idempotent(options: IdempotencyStrategy): MethodDecorator {
  return applyDecorators(SetMetadata(IDEMPOTENCY_STRATEGY, options), ...(isKeyed(options) ? keyedDocs : []));
}

/** Whether the client names the request with an Idempotency-Key. */
export function isKeyed(declared: IdempotencyStrategy | undefined): boolean {
  return declared?.strategy === 'atomic' || declared?.strategy === 'leased';
}

const keyedDocs = [
  ApiHeader({
    name: 'Idempotency-Key',
    required: true,
    description:
      'The name of this request, 1 to 255 visible ASCII characters, new for each new request (a UUID is fine). ' +
      'A repeat with the same key and the same request gets the first answer again, with Idempotent-Replayed: true.',
  }),
  ApiResponse({ status: 400, description: 'idempotency_key_missing, idempotency_key_invalid or validation_failed' }),
  ApiResponse({ status: 409, description: 'idempotency_key_reused (another request) or idempotency_key_in_use' }),
];
