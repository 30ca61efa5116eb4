/** A tax service on a real socket, which keeps what it is told, and misbehaves as the test says. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What becomes of one request instead of its answer. `lost` does the work first. */
export type TaxWay =
  'hangs' | 'resets' | 'closes' | 'lost' | { status: number; body?: unknown; headers?: Record<string, string> };

export interface HeardByTax {
  method: string;
  path: string;
  body: { lines?: { sku: string; amount: number }[]; reference?: string; amount?: number; rates?: object[] };
  headers: IncomingMessage['headers'];
}

interface Answer {
  status: number;
  body?: unknown;
  headers?: Record<string, string>;
}

export class TaxServer {
  readonly heard: HeardByTax[] = [];
  /** By the number, with its tenant. */
  readonly transactions = new Map<string, HeardByTax['body'] & { refunds: Map<string, number> }>();
  /** Each for one request, the first one first. */
  ways: TaxWay[] = [];
  /** For each request for which there is no other way. */
  always?: TaxWay;

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async open(): Promise<TaxServer> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const fake = new TaxServer(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}/tax`);
    server.on('request', (request: IncomingMessage, response: ServerResponse) => fake.hear(request, response));
    return fake;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  /** All paths that were asked, in order, without the beginning that all have. */
  get asked(): string[] {
    return this.heard.map(({ method, path }) => `${method} ${path}`);
  }

  private hear(request: IncomingMessage, response: ServerResponse): void {
    let text = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    request.on('end', () => {
      const path = decodeURIComponent(request.url ?? '').replace('/tax/v1', '');
      const body = JSON.parse(text) as HeardByTax['body'];
      const heard = { method: request.method ?? '', path, body, headers: request.headers };
      this.heard.push(heard);
      const way = this.ways.shift() ?? this.always;
      if (way === 'hangs') return;
      if (way === 'resets') return void request.socket.resetAndDestroy();
      if (way === 'closes') return void request.socket.destroy();
      const answer = way === undefined || way === 'lost' ? this.answerTo(heard) : way;
      if (way === 'lost') return void request.socket.destroy();
      const headers = { 'content-type': 'application/json', ...answer.headers };
      response.writeHead(answer.status, headers).end(JSON.stringify(answer.body ?? {}));
    });
  }

  private answerTo({ method, path, body }: HeardByTax): Answer {
    if (path === '/quotes') return { status: 200, body: { lines: (body.lines ?? []).map(quoted) } };
    const [, name = '', refunds] = /^\/transactions\/([^/]+)(\/refunds)?$/.exec(path) ?? [];
    const known = this.transactions.get(name);
    if (method === 'PUT') {
      if (known) return duplicate;
      this.transactions.set(name, { ...body, refunds: new Map() });
      return { status: 201 };
    }
    if (!known || !refunds) return { status: 404, body: { code: 'unknown_transaction' } };
    if (known.refunds.has(String(body.reference))) return duplicate;
    known.refunds.set(String(body.reference), body.amount ?? 0);
    return { status: 201 };
  }
}

const duplicate: Answer = { status: 409, body: { code: 'duplicate' } };

const quoted = ({ sku }: { sku: string }) => ({
  sku,
  rate: sku.startsWith('book-') ? 700 : sku.startsWith('gift-') ? 0 : 1_900,
});
