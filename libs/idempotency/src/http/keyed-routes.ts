/**
 * Keyed routes over HTTP: reads the key and makes the claim for the method, and turns the Outcome that the method
 * answers into the response. A parameter and a hook instead of a Nest interceptor, which costs each request of each
 * route a chain of observables.
 */
import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Logger } from '@shop/observability';
import { preferredWaitMs } from '@shop/resilience';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { decisionOf } from '../decisions';
import { fingerprintOf } from '../fingerprint';
import { httpOutcome } from './http-outcome';
import type { Idempotency } from '../idempotency';
import { readIdempotencyKey } from './idempotency-key';
import { policyOf } from './idempotent';
import type { Kind } from '../ledger/ledger';
import type { RoutePolicy } from '../policy';
import type { Claim, Outcome } from '../settle';

/** Who calls, as a guard of the service has put it on the request. */
export interface Caller {
  tenant: string;
  principal: string;
}

interface ClaimedRequest extends FastifyRequest {
  caller?: Caller;
  claimed?: { claim: Claim; policy: RoutePolicy; route: string };
}

/** Where Nest keeps what a method's parameters are made from. */
const NEST_ARGUMENTS = '__routeArguments__';

const makeClaim = (_: unknown, context: ExecutionContext): Claim => {
  const request = context.switchToHttp().getRequest<ClaimedRequest>();
  const policy = policyOf(context.getHandler());
  const route = `${request.method} ${request.routeOptions.url}`;
  const claim: Claim = {
    scope: scopeOf(callerOf(request), route),
    key: readIdempotencyKey(request.headers['idempotency-key']),
    fingerprint: fingerprintOf(route, request.params ?? {}, request.body ?? null),
    retentionHours: policy.retentionHours,
    redact: policy.redact,
  };
  request.claimed = { claim, policy, route };
  return claim;
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

/** What all scopes of a tenant begin with. */
export const tenantPrefix = (tenant: string): string => `${tenant}|`;

/** The same key of another tenant, of another principal or on another route is another key. */
export function scopeOf({ tenant, principal }: Caller, route: string): string {
  return `${tenantPrefix(tenant)}${principal}|${route}`;
}

export function callerOf(request: { caller?: Caller }): Caller {
  assert(request.caller, 'a guard has to put the caller, { tenant, principal }, on the request');
  return request.caller;
}

export function answerKeyedRoutes<K extends Kind>(
  fastify: FastifyInstance,
  idempotency: Idempotency<K>,
  logger?: Logger,
): void {
  fastify.addHook('preSerialization', (request: ClaimedRequest, reply, payload, done) => {
    // When the method has thrown, an exception filter answers here, with a status of its own and no outcome.
    if (!request.claimed || reply.statusCode >= 400) return done(null, payload);
    const outcome = payload as Outcome;
    assert(outcome?.kind, `${request.claimed.route} has to answer the Outcome of its claim`);
    if (outcome.kind !== 'in-use') return done(null, answer(request, reply, outcome, logger));
    const waitMs = preferredWaitMs(request.headers['prefer'] as string | undefined);
    if (waitMs !== undefined) void reply.header('preference-applied', `wait=${waitMs / 1_000}`);
    idempotency.awaitAnswer(request.claimed.claim, waitMs).then(
      (settled) => done(null, answer(request, reply, settled, logger)),
      (error: Error) => done(error),
    );
  });
}

/** Sets status and headers; answers the body. */
function answer(request: ClaimedRequest, reply: FastifyReply, outcome: Outcome, logger?: Logger): string {
  const { claim, policy, route } = request.claimed!;
  const { status, headers, body } = httpOutcome(outcome, policy, claim.key);
  // The key is the client's own text, which may be anything; its hash is enough to find it again.
  const keyHash = hash('sha256', claim.key, 'hex').slice(0, 12);
  logger?.info({ decision: decisionOf(outcome), route, status, keyHash }, 'idempotency.decided');
  // The stored text goes out byte for byte.
  void reply.status(status).headers(headers).serializer(asItIs);
  return body;
}

const asItIs = (text: unknown): string => text as string;
