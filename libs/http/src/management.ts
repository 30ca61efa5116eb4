/**
 * What only those who run a service ask for, on a port of its own: the metrics, and why it is not ready. Clients of the
 * API cannot reach that port, so they cannot use up its answers.
 */
import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createLobby } from './lobby';
import { METRICS_TYPE, metricsText } from './metrics.module';
import type { Readiness } from './readiness';

interface Answer {
  status: number;
  type: string;
  body: Buffer | string;
}

type Page = () => Promise<Answer>;

/** Prometheus, a supervisor and a few people. */
const MAX_CONNECTIONS = 64;

/** Listens until the process ends, so that the stop of a service can be watched too. Port 0 takes a free one. */
export async function listenForManagement(readiness: Readiness, port: number, host: string): Promise<string> {
  const server = createManagementServer(readiness);
  // It alone is no reason for the process to stay.
  server.on('connection', (socket) => socket.unref());
  server.listen(port, host).unref();
  await once(server, 'listening');
  const { address, family, port: taken } = server.address() as AddressInfo;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${taken}`;
}

export function createManagementServer(readiness: Readiness): Server {
  const pages: Record<string, Page> = {
    '/health/live': async () => json(200, { status: 'ok' }),
    '/health/ready': async () => {
      const { ready, checks } = await readiness.now();
      return json(ready ? 200 : 503, { status: ready ? 'ok' : 'unavailable', checks });
    },
    '/metrics': async () => ({ status: 200, type: METRICS_TYPE, body: await metricsText() }),
  };
  const server = createLobby((request, response) => void answer(pages, request, response));
  server.maxConnections = MAX_CONNECTIONS;
  return server;
}

async function answer(
  pages: Record<string, Page>,
  { method, url = '/' }: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const page = Object.entries(pages).find(([path]) => path === url.split('?', 1)[0])?.[1];
  const allowed = method === 'GET' || method === 'HEAD';
  const { status, type, body } = await outcomeOf(page, allowed);
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) });
  response.end(method === 'HEAD' ? undefined : body);
}

async function outcomeOf(page: Page | undefined, allowed: boolean): Promise<Answer> {
  if (!page) return json(404, { status: 'there is nothing here; ask for /metrics, /health/live or /health/ready' });
  if (!allowed) return json(405, { status: 'only GET and HEAD' });
  return page().catch(() => json(500, { status: 'failed' }));
}

function json(status: number, body: object): Answer {
  return { status, type: 'application/json; charset=utf-8', body: JSON.stringify(body) };
}
