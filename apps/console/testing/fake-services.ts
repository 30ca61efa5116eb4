/** Services as the console sees them: they remember what they were asked, and answer what the test says. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Heard {
  method: string;
  url: string;
  headers: IncomingMessage['headers'];
  body: string;
}

export interface FakeService {
  url: string;
  heard: Heard[];
  /** Answers by method and path, such as `GET /sagas`; without one, an empty page. */
  answers: Record<string, (response: ServerResponse, heard: Heard) => void>;
  close: () => void;
}

export const OPERATOR = 'key-of-olga';
export const CUSTOMER = 'key-of-alice';
export const PLATFORM = 'key-of-pat';

export async function startFakeService(): Promise<FakeService> {
  const fake: Omit<FakeService, 'url'> = {
    heard: [],
    answers: {},
    close: () => server.closeAllConnections() ?? server.close(),
  };
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (part: Buffer) => (body += part.toString()));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      const heard = { method, url, headers, body };
      fake.heard.push(heard);
      const answer = fake.answers[`${method} ${url.split('?')[0]}`];
      if (answer) return answer(response, heard);
      json(response, statusFor(headers.authorization, url), { items: [], next: null });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return Object.assign(fake, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}

export function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json', 'set-cookie': 'evil=1', 'x-inside': 'secret' });
  response.end(JSON.stringify(body));
}

/** As the order service tells an operator, a customer and a stranger apart. */
function statusFor(authorization: string | undefined, url: string): number {
  const key = authorization?.replace('Bearer ', '');
  if (key === PLATFORM) return 200;
  if (key === OPERATOR) return url.startsWith('/backfills') ? 403 : 200;
  return key === CUSTOMER ? 403 : 401;
}
