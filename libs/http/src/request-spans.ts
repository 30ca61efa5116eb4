/**
 * The trace of a request: the one that the client names in `traceparent`, or a new one. The request is a span of it,
 * whose `traceparent` the client gets back. Without tracing, what the client names is kept all the same.
 */
import { bounded, isTracing, newTraceparent, type Span, startSpan } from '@shop/observability';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { onRequestEnd } from './request-ends';
import { labelsOf } from './request-metrics';

const HEADER = 'traceparent';
/** Asked every few seconds by machines. */
const OF_MACHINES = /^\/health\//;

const spans = new WeakMap<FastifyRequest, Span>();

/** Before all other hooks, so that they are a part of the span. */
export function traceRequests(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    if (!isTracing()) keepTrace(request, reply);
    else if (!OF_MACHINES.test(request.url)) return begin(request, reply).run(done);
    done();
  });
  onRequestEnd(fastify, end);
}

/** Behind hooks that make requests wait: who comes out of a queue comes in the context of whoever has let him go. */
export function goOnWithTrace(fastify: FastifyInstance): void {
  fastify.addHook('preHandler', (request, _reply, done) => {
    const span = spans.get(request);
    if (span) span.run(done);
    else done();
  });
}

/** From here on the request has a `traceparent` of ours, as everything that follows from it. */
function setTrace(request: FastifyRequest, reply: FastifyReply, traceparent: string): void {
  request.headers[HEADER] = traceparent;
  void reply.header(HEADER, traceparent);
}

function keepTrace(request: FastifyRequest, reply: FastifyReply): void {
  const given = request.headers[HEADER];
  if (given !== undefined) setTrace(request, reply, newTraceparent(given));
}

function begin(request: FastifyRequest, reply: FastifyReply): Span {
  const { method, route } = labelsOf(request);
  const parent = request.headers[HEADER];
  const span = startSpan(route === 'unknown' ? method : `${method} ${route}`, {
    kind: 'server',
    parent: typeof parent === 'string' ? parent : null,
    attributes: () => ({
      'http.request.method': method === 'other' ? '_OTHER' : method,
      'http.route': route === 'unknown' ? undefined : route,
      'url.path': bounded(request.url.split('?', 1)[0]!),
      'url.scheme': request.protocol,
      'network.protocol.version': request.raw.httpVersion,
    }),
  })!;
  spans.set(request, span);
  setTrace(request, reply, span.traceparent);
  return span;
}

function end(request: FastifyRequest, { statusCode }: FastifyReply, { hasLeft }: { hasLeft: boolean }): void {
  const span = spans.get(request);
  if (!span) return;
  spans.delete(request);
  if (hasLeft) {
    span.set({ 'error.type': 'client_left' });
  } else {
    span.set({ 'http.response.status_code': statusCode });
    if (statusCode >= 500) span.fail(String(statusCode));
  }
  span.end();
}
