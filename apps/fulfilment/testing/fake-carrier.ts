/** A carrier on a real socket, which fails in the ways that a test asks for, and remembers what it was asked. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FakeShipment {
  id: string;
  reference: string;
  status: string;
  trackingNumber: string;
  labelUrl: string;
}

export interface Asked {
  method: string;
  path: string;
  key?: string;
  body?: Record<string, unknown>;
}

/** What happens to one request to take or recall: nothing is done, or it is done and the answer is lost, or it is held. */
export type Fault = { status: number; code?: string; retryAfter?: string } | 'reset' | 'lost' | 'held';

export class FakeCarrier {
  url = '';
  readonly shipments = new Map<string, FakeShipment>();
  readonly asked: Asked[] = [];
  private readonly keys = new Map<string, string>();
  /** For the next requests that change something; then all goes well. */
  faults: Fault[] = [];
  /** What happens to all requests that change something, behind those. Reads fail too. */
  failing?: Fault;
  refusesRecalls = false;
  /** The answer to the next look-up is as of now, and comes when the test lets it go. */
  holdsLookUp = false;
  private readonly held: (() => void)[] = [];
  private readonly server = createServer((request, response) => void this.take(request, response));

  async open(): Promise<this> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
    return this;
  }

  async close(): Promise<void> {
    this.letGo();
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  /** How many requests are held. */
  get holding(): number {
    return this.held.length;
  }

  letGo(): void {
    for (const resume of this.held.splice(0)) resume();
  }

  /** The requests that asked to take a parcel. */
  get takes(): Asked[] {
    return this.asked.filter(({ method, path }) => method === 'POST' && path === '/carrier/v1/shipments');
  }

  of(reference: string): FakeShipment | undefined {
    return [...this.shipments.values()].find((shipment) => shipment.reference === reference);
  }

  /** As a day later: a known key makes another shipment. */
  forgetKeys(): void {
    this.keys.clear();
  }

  add(reference: string, status = 'accepted'): FakeShipment {
    const number = this.shipments.size + 1;
    const id = `shp_${number}`;
    const labelUrl = `${this.url}/carrier/v1/shipments/${id}/label`;
    const shipment = { id, reference, status, trackingNumber: `SBX${number}`, labelUrl };
    this.shipments.set(id, shipment);
    return shipment;
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const { method = '', url = '', headers } = request;
    const body = text === '' ? undefined : (JSON.parse(text) as Record<string, unknown>);
    const asked = { method, path: url, key: headers['idempotency-key'] as string | undefined, body };
    this.asked.push(asked);
    const fault = this.faultOf(method);
    if (fault === 'reset') return void request.socket.resetAndDestroy();
    if (fault === 'held') await new Promise<void>((resolve) => this.held.push(resolve));
    if (typeof fault === 'object') {
      response.setHeader('content-type', 'application/json');
      if (fault.retryAfter !== undefined) response.setHeader('retry-after', fault.retryAfter);
      return void response.writeHead(fault.status).end(JSON.stringify({ code: fault.code }));
    }
    const { status, answer } = this.answerTo(asked);
    if (this.holdsLookUp && method === 'GET') {
      this.holdsLookUp = false;
      await new Promise<void>((resolve) => this.held.push(resolve));
    }
    if (fault === 'lost') return void request.socket.destroy();
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  }

  private faultOf(method: string): Fault | undefined {
    if (method === 'POST') return this.faults.shift() ?? this.failing;
    return this.failing === undefined ? undefined : { status: 500 };
  }

  private answerTo({ method, path, key, body }: Asked): { status: number; answer: object } {
    const reference = /\?reference=(.+)$/.exec(path)?.[1];
    if (reference !== undefined) {
      const found = this.of(reference);
      return { status: 200, answer: { items: found ? [found] : [] } };
    }
    const recalled = /\/shipments\/(\w+)\/recall$/.exec(path)?.[1];
    if (method === 'POST' && recalled !== undefined) return this.recall(recalled);
    if (method === 'POST') {
      const id = this.keys.get(key!) ?? this.add(String(body!['reference'])).id;
      this.keys.set(key!, id);
      return { status: 201, answer: this.shipments.get(id)! };
    }
    return { status: 404, answer: { code: 'not_found' } };
  }

  private recall(id: string): { status: number; answer: object } {
    const shipment = this.shipments.get(id)!;
    if (this.refusesRecalls || shipment.status === 'delivered')
      return { status: 409, answer: { code: 'not_recallable' } };
    shipment.status = 'recalled';
    return { status: 200, answer: shipment };
  }
}
