/** Tells in the OpenAPI document what a route answers when all is well: the body's class, and the headers beside it. */
import { applyDecorators, type Type } from '@nestjs/common';
import { ApiHeader, ApiResponse } from '@nestjs/swagger';
import { ApiProblems } from '@shop/problem';

/** Headers of answers, by their names. */
const headers = {
  etag: { description: 'the version of what was answered, for If-Match and If-None-Match', example: '"1"' },
  location: { description: 'where what was made can be read', example: '/orders/01a20621-a6cd-74b9-a1c3-459d717a98c4' },
  'preference-applied': { description: 'the time for which the answer could be held back', example: 'wait=10' },
  'idempotent-replayed': {
    description: 'true when this is the stored answer to an earlier request with the same key; else it is missing',
    example: 'true',
  },
} as const;

export interface AnswerOptions {
  description: string;
  headers?: readonly (keyof typeof headers)[];
}

/** A success; without a class it has no body. */
export function ApiAnswer(status: number, type: Type | null, options: AnswerOptions): MethodDecorator {
  const documented = (options.headers ?? []).map((name) => {
    const { description, example } = headers[name];
    return [name, { description, schema: { type: 'string' as const, example } }] as const;
  });
  return ApiResponse({
    status,
    description: options.description,
    ...(type && { type }),
    ...(documented.length > 0 && { headers: Object.fromEntries(documented) }),
  });
}

/** A read that is answered with 304 and no body when the caller has this version already. */
export function ApiConditionalRead(): MethodDecorator {
  return applyDecorators(
    ApiHeader({
      name: 'if-none-match',
      required: false,
      description: 'the ETag of the version that you have',
      schema: { type: 'string', example: '"1"' },
    }),
    ApiAnswer(304, null, { description: 'you have this version already', headers: ['etag'] }),
  );
}

export interface ConditionalWriteOptions {
  /** Whether a change without If-Match is refused. */
  required?: boolean;
  /** Whether the route can create what is not there, and If-None-Match keeps it from changing what is. */
  creates?: boolean;
}

/** A write that may name the version that it changes. */
export function ApiConditionalWrite({ required = false, creates = false }: ConditionalWriteOptions): MethodDecorator {
  const ifMatch = ApiHeader({
    name: 'if-match',
    required: false,
    description: `the ETag of the version that you read${required ? '; needed to change what is there' : ''}`,
    schema: { type: 'string', example: '"1"' },
  });
  const ifNoneMatch = ApiHeader({
    name: 'if-none-match',
    required: false,
    description: '* to create, and never to change',
    schema: { type: 'string', example: '*' },
  });
  const currentETag = { type: 'string', description: 'of the version that is there', example: '"2"' } as const;
  return applyDecorators(
    ifMatch,
    ...(creates ? [ifNoneMatch] : []),
    ApiProblems({ 400: ['precondition_invalid'], 412: { precondition_failed: { currentETag } } }),
    ...(required ? [ApiProblems({ 428: ['precondition_required'] })] : []),
  );
}

/** `Prefer: wait=N`, for routes that can hold their answer back. */
export const ApiPreferWait = (description: string): MethodDecorator =>
  ApiHeader({ name: 'prefer', required: false, description, schema: { type: 'string', example: 'wait=10' } });

/** The W3C trace context that a caller may send along. */
export const ApiTraceparent = (): MethodDecorator =>
  ApiHeader({
    name: 'traceparent',
    required: false,
    description: 'the trace that the request belongs to (W3C Trace Context); a new one is begun without it',
    schema: { type: 'string', example: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' },
  });
