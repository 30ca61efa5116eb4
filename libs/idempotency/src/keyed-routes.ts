/**
 * Keyed routes over HTTP: reads the key and makes the claim for the method, and turns the Outcome that the method
 * answers into the response. A parameter and a hook instead of a Nest interceptor, which costs each request of each
 * route a chain of observables.
 */
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { fingerprintOf } from './fingerprint';
import { httpOutcome } from './http-outcome';
import { readIdempotencyKey } from './idempotency-key';
import type { Claim, Outcome } from './settle';

type ClaimedRequest = FastifyRequest & { caller: { tenant: string; principal: string }; claim?: Claim };

/** Where Nest keeps what a method's parameters are made from. */
const NEST_ARGUMENTS = '__routeArguments__';

const makeClaim = (_: unknown, context: ExecutionContext): Claim => {
  const request = context.switchToHttp().getRequest<ClaimedRequest>();
  request.claim = claimOf(request);
  return request.claim;
};

/** The claim of this request, as a parameter of a keyed route's method. The method answers an Outcome. */
export const ClaimOf = createParamDecorator(makeClaim);

/** Whether the method takes its claim; a keyed route that does not would run each repeat again. */
export function takesClaim(controller: Function, method: string): boolean {
  const parameters = (Reflect.getMetadata(NEST_ARGUMENTS, controller, method) ?? {}) as Record<
    string,
    { factory?: unknown }
  >;
  return Object.values(parameters).some(({ factory }) => factory === makeClaim);
}

export function answerKeyedRoutes(fastify: FastifyInstance): void {
  fastify.addHook('preSerialization', (request, reply, payload, done) => {
    if (!(request as ClaimedRequest).claim) return done(null, payload);
    const { status, headers, body } = httpOutcome(payload as Outcome);
    // The stored text goes out byte for byte.
    void reply.status(status).headers(headers).serializer(asItIs);
    done(null, body);
  });
}

const asItIs = (text: unknown): string => text as string;

function claimOf(request: ClaimedRequest): Claim {
  const { tenant, principal } = request.caller;
  const route = `${request.method} ${request.routeOptions.url}`;
  return {
    scope: `${tenant}|${principal}|${route}`,
    key: readIdempotencyKey(request.headers['idempotency-key']),
    fingerprint: fingerprintOf(route, request.params ?? {}, request.body ?? null),
  };
}
