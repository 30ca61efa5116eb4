/** Counts requests by method, route and status. What clients make up gets no line of its own. */
import { counter, histogram } from '@shop/observability';
import type { FastifyInstance } from 'fastify';
import { onRequestEnd } from './request-ends';

const LATENCY_BUCKETS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 30];
/** A client may also send any other method that Node can read. */
const METHODS = ['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** To be called before hooks that answer by themselves. */
export function measureRequests(fastify: FastifyInstance): void {
  const seconds = histogram(
    'http_request_duration_seconds',
    'Time from request to response by route',
    ['method', 'route', 'status'],
    LATENCY_BUCKETS_SECONDS,
  );
  const aborted = counter('http_requests_aborted_total', 'Requests whose client left before the answer', [
    'method',
    'route',
  ]);
  onRequestEnd(fastify, (request, reply, { hasLeft }) => {
    const labels = labelsOf(request);
    if (hasLeft) aborted.inc(labels);
    else seconds.observe({ ...labels, status: reply.statusCode }, reply.elapsedTime / 1_000);
  });
}

interface Routed {
  method: string;
  routeOptions: { url?: string };
}

/** The route is its pattern, such as `/orders/:id`. All addresses that nobody serves are one. */
export function labelsOf({ method, routeOptions }: Routed): { method: string; route: string } {
  return { method: METHODS.includes(method) ? method : 'other', route: routeOptions.url ?? 'unknown' };
}
