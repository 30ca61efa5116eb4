/** The decorator that makes a route safe to repeat. Every mutating route names its strategy. */
import { applyDecorators, SetMetadata } from '@nestjs/common';
import { ApiExtension, ApiHeader } from '@nestjs/swagger';
import { ApiProblems, type ProblemMembers } from '@shop/problem';
import { defaultPolicy, describePolicy, type RoutePolicy } from '../policy';
import { IDEMPOTENCY_POLICY, IDEMPOTENCY_STRATEGY, type IdempotencyStrategy, isKeyed } from './strategy';

/** The member of the OpenAPI document that has the strategy and the policy of a route. */
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
    ...(name === 'leased' ? [ApiProblems({ 503: ['outcome_unknown'] })] : []),
  );
}

/**
 * For routes whose effects have a natural key: the answer to a repeat when the ledger has forgotten the first answer.
 */
export const ApiAlreadySubmitted = (statusUrl: string): MethodDecorator =>
  ApiProblems({ 409: { already_submitted: { statusUrl: { ...statusUrlSchema, example: statusUrl } } } });

const statusUrlSchema = { type: 'string', description: 'where the state of what was sent can be seen' } as const;

const keyedDocs = ({ retentionHours, inUseStatus, mismatchStatus }: RoutePolicy): MethodDecorator[] => [
  ApiHeader({
    name: 'Idempotency-Key',
    required: true,
    description:
      'The name of this request, 1 to 255 visible ASCII characters, new for each new request (a UUID is fine). ' +
      'A repeat with the same key and the same request gets the first answer again, with Idempotent-Replayed: true, ' +
      `for ${retentionHours} hours. GET /idempotency-keys/{key} tells the state of a key.`,
    schema: { type: 'string', example: '01a20621-a6cd-74b9-a1c3-459d717a98c4' },
  }),
  ApiHeader({
    name: 'Prefer',
    required: false,
    description: 'wait=N: how many seconds, at most 30, to wait for a request with the same key that is under way',
    schema: { type: 'string', example: 'wait=10' },
  }),
  ApiProblems({ 400: ['idempotency_key_missing', 'idempotency_key_invalid'], 410: ['idempotency_key_erased'] }),
  ApiProblems({ [mismatchStatus]: ['idempotency_key_reused'] }),
  ApiProblems({ [inUseStatus]: { idempotency_key_in_use: underWay } }),
];

const underWay: ProblemMembers = {
  state: { type: 'string', enum: ['processing'], example: 'processing' },
  statusUrl: { ...statusUrlSchema, example: '/idempotency-keys/01a20621-a6cd-74b9-a1c3-459d717a98c4' },
};
