/** The spans of calls outside: one for each try, so that it shows who was asked how often, and who was slow. */
import { currentSpan, isTracing, startSpan } from '@shop/observability';

/** Runs one try of a call as a span. */
export function inTry<T>(dependency: string, number: number, work: () => Promise<T>): Promise<T> {
  if (!isTracing()) return work();
  const span = startSpan(`call ${dependency}`, {
    kind: 'client',
    attributes: { 'peer.service': dependency, 'http.request.resend_count': number === 1 ? undefined : number - 1 },
  })!;
  return span.over(work);
}

export interface Sent {
  method: string;
  url: Pick<URL, 'hostname' | 'port' | 'protocol'>;
}

/**
 * Notes what is sent, and returns the headers that let the other side go on with the trace. Not the path: it may have
 * ids of people in it.
 */
export function traceHeaders({ method, url: { hostname, port, protocol } }: Sent): Record<string, string> {
  const span = currentSpan();
  if (!span) return {};
  span.set({
    'http.request.method': method.toUpperCase(),
    'server.address': hostname,
    'server.port': Number(port || (protocol === 'https:' ? 443 : 80)),
  });
  return { traceparent: span.traceparent };
}

export function noteStatus(status: number): void {
  currentSpan()?.set({ 'http.response.status_code': status });
}
