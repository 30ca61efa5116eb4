/** Reads the key of every keyed route, makes the claim, and turns the ledger's outcome into the response. */
import {
  type CallHandler,
  createParamDecorator,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { isLockTimeout } from '@shop/postgres';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { map, type Observable } from 'rxjs';
import { catchError } from 'rxjs/operators';
import { fingerprintOf } from './fingerprint';
import { httpOutcome, keyInUse } from './http-outcome';
import { readIdempotencyKey } from './idempotency-key';
import { IDEMPOTENCY_STRATEGY, type IdempotencyStrategy } from './idempotent';
import type { Claim, Outcome } from './settle';

type ClaimedRequest = FastifyRequest & { caller: { tenant: string; principal: string }; claim?: Claim };

/** The claim of this request, as a parameter of a keyed route's method. The method answers an Outcome. */
export const ClaimOf = createParamDecorator(
  (_: unknown, context: ExecutionContext) => context.switchToHttp().getRequest<ClaimedRequest>().claim,
);

@Injectable()
export class IdempotencyInterceptor implements NestInterceptor {
  constructor(private readonly reflector: Reflector) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (context.getType() !== 'http') return next.handle();
    const declared = this.reflector.get<IdempotencyStrategy | undefined>(IDEMPOTENCY_STRATEGY, context.getHandler());
    if (declared?.strategy !== 'atomic' && declared?.strategy !== 'leased') return next.handle();
    const request = context.switchToHttp().getRequest<ClaimedRequest>();
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    request.claim = claimOf(request);
    return next.handle().pipe(
      map((outcome) => respond(reply, outcome as Outcome)),
      catchError((error: unknown) => {
        // Another replica has held the key's row for longer than we wait for it.
        throw isLockTimeout(error) ? keyInUse() : error;
      }),
    );
  }
}

function claimOf(request: ClaimedRequest): Claim {
  const { tenant, principal } = request.caller;
  const route = `${request.method} ${request.routeOptions.url}`;
  return {
    scope: `${tenant}|${principal}|${route}`,
    key: readIdempotencyKey(request.headers['idempotency-key']),
    fingerprint: fingerprintOf(route, request.params ?? {}, request.body ?? null),
  };
}

function respond(reply: FastifyReply, outcome: Outcome): string {
  const { status, headers, body } = httpOutcome(outcome);
  const type = status < 400 ? 'application/json; charset=utf-8' : 'application/problem+json';
  void reply.status(status).headers(headers).type(type);
  return body;
}
