/** When a request is over: it is answered, or its client has left before that. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

export type RequestEnd = (request: FastifyRequest, reply: FastifyReply, end: { hasLeft: boolean }) => void;

/**
 * Calls `ended` once for each request. Fastify's own hooks do not: `onResponse` is never called when the client has left,
 * and `onRequestAbort` is only called while there is something of the request to read. To be called before hooks that
 * answer by themselves, because those behind them are not run.
 */
export function onRequestEnd(fastify: FastifyInstance, ended: RequestEnd): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    reply.raw.once('close', () => ended(request, reply, { hasLeft: !reply.raw.writableEnded }));
    done();
  });
}
