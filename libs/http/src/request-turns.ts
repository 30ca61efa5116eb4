/**
 * Requests that take a connection to the database for themselves are worked on a few at once, and tenants take turns. Many
 * of one tenant would otherwise take all connections, also from the lanes that carry out everybody's orders.
 */
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { Problem } from '@shop/problem';
import { Bulkhead, type NoTurnError } from '@shop/resilience';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Caller, RouteSettings } from './api-keys';
import { sendProblem } from './problem.filter';

/** For a route whose requests wait in queues of their own, such as a lane, or wait for something on purpose. */
export const OwnTurns = (): MethodDecorator => RouteConfig({ ownTurns: true } satisfies RouteSettings);

/** Ends the turn of a request: what is left of its work takes no connection. */
export type EndTurn = () => void;

/**
 * For a route that asks another service when it has read all that it needs: a slow one would else hold up everybody. It is
 * a parameter of the method.
 */
export const EndTurnOf = createParamDecorator((_: unknown, context: ExecutionContext): EndTurn => {
  const request = context.switchToHttp().getRequest<FastifyRequest & { endTurn?: EndTurn }>();
  return () => request.endTurn?.();
});

/** A part of the connections of a service; the lanes have the others. */
const AT_ONCE = 2;
const MAX_WAITING_PER_TENANT = 500;
/** A client should get an answer within ten seconds, and the database takes some of them. */
const MAX_WAIT_MS = 5_000;
const RETRY_AFTER = { headers: { 'retry-after': '1' } };

/** To be called behind `askWhoCalls`. */
export function takeTurns(fastify: FastifyInstance): void {
  const bulkhead = new Bulkhead({ calls: AT_ONCE, maxWaiting: MAX_WAITING_PER_TENANT });
  const working = new WeakSet<FastifyRequest>();
  const end = (request: FastifyRequest): void => {
    if (working.delete(request)) bulkhead.leave();
  };
  fastify.addHook('preHandler', (request: FastifyRequest & { caller?: Caller; endTurn?: EndTurn }, reply, done) => {
    const { ownTurns } = request.routeOptions.config as RouteSettings;
    if (ownTurns || !request.caller) return done();
    const { tenant } = request.caller;
    bulkhead.enter({ turn: tenant, maxWaitMs: MAX_WAIT_MS }).then(
      () => {
        // A client that has left meanwhile needs no answer.
        if (request.raw.socket.destroyed) return bulkhead.leave();
        working.add(request);
        request.endTurn = () => end(request);
        reply.raw.once('close', () => end(request));
        done();
      },
      ({ isFull }: NoTurnError) => sendProblem(reply, isFull ? tooMany() : overloaded()),
    );
  });
  // The work is done when there is an answer. To send it, or to wait for that of another request, takes no connection.
  fastify.addHook('preSerialization', (request, _reply, payload, done) => {
    end(request);
    done(null, payload);
  });
  fastify.addHook('onSend', (request, _reply, payload, done) => {
    end(request);
    done(null, payload);
  });
}

const overloaded = () => new Problem(503, 'overloaded', 'too much work is waiting; try again later', RETRY_AFTER);

const tooMany = () =>
  new Problem(429, 'too_many_waiting', 'too many requests of yours wait for their turn; come again later', RETRY_AFTER);
