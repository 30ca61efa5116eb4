/** A neighbour of a service on a real socket, which answers as the test says, or does not. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What becomes of one request. */
export type Way = (response: ServerResponse, request: IncomingMessage) => void;

export interface HeardCall {
  method?: string;
  url: string;
  tenant: unknown;
  authorization?: string;
}

export const answersWith =
  (status: number, body: unknown): Way =>
  (response) =>
    void response
      .writeHead(status, { 'content-type': 'application/json' })
      .end(typeof body === 'string' ? body : JSON.stringify(body));

/** Ways to give no good answer, by their names. */
export const bad: Record<string, Way> = {
  'accepts and never answers': () => undefined,
  'answers a part and no more': (response) => void response.writeHead(200).write('{"items":['),
  'cuts the connection': (_, request) => void request.socket.resetAndDestroy(),
  'answers 500': answersWith(500, { code: 'internal_error' }),
  'answers 503': answersWith(503, { code: 'unavailable' }),
  'answers 429': answersWith(429, { code: 'rate_limited' }),
  'does not know the key': answersWith(401, { code: 'unauthenticated' }),
  'sends us elsewhere': (response) => void response.writeHead(302, { location: '/elsewhere' }).end(),
  'is somebody else, who knows no such address': answersWith(404, 'not found'),
  'answers no JSON': answersWith(200, '<html>it works</html>'),
  'answers a text': answersWith(200, '"ok"'),
  'answers nothing': answersWith(200, ''),
  'answers another form': answersWith(200, { items: 'none', id: 7 }),
  'answers numbers that are none': answersWith(200, { items: [{ status: 'succeeded', amount: -1 }], lines: [{}] }),
  'answers without an end': (response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const pour = (): void => {
      if (!response.destroyed) response.write(`"${'x'.repeat(64 * 1_024)}",`, () => setImmediate(pour));
    };
    response.write('{"items":[');
    pour();
  },
};

export class FakeNeighbour {
  readonly heard: HeardCall[] = [];
  way: Way = answersWith(500, {});

  private constructor(
    private readonly server: Server,
    private readonly port: number,
  ) {}

  static async open(): Promise<FakeNeighbour> {
    const server = createServer();
    await listen(server, 0);
    const fake = new FakeNeighbour(server, (server.address() as AddressInfo).port);
    server.on('request', (request, response) => {
      const { method, url = '', headers } = request;
      fake.heard.push({ method, url, tenant: headers['shop-tenant'], authorization: headers.authorization });
      fake.way(response, request);
    });
    return fake;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** The port refuses connections from now on. */
  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  reopen(): Promise<void> {
    return listen(this.server, this.port);
  }
}

const listen = (server: Server, port: number): Promise<void> =>
  new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
