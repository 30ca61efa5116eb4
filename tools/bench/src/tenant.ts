/** One tenant of the shop: its catalogue, its orders, and the ways to post them. */
import {
  ApiClient,
  auditBooks,
  createWorkload,
  inParallel,
  type Posting,
  seed,
  type ServiceName,
  type System,
} from '@shop/system';
import { Agent, request } from 'undici';
import { pause } from './load';
import type { Options } from './options';

export interface TenantOptions {
  system: Pick<System, 'urls' | 'processes'>;
  /** Its API key. */
  key: string;
  /** The largest number of requests at once. */
  connections: number;
  options: Options;
}

export interface PlainAnswer {
  status: number;
  retryAfter: string | undefined;
  /** It is the stored answer to an earlier request. */
  isReplay: boolean;
  text: string;
}

/** Workloads of one tenant get seeds of their own, so that no key comes twice. */
const MAX_WORKLOADS = 1_000;
const SETTLED_LOOK_MS = 10;

export class Tenant {
  readonly agent: Agent;
  readonly products: ReturnType<typeof createWorkload>['products'];
  private readonly headers: { authorization: string };
  private readonly addresses: TenantOptions['system'];
  private readonly key: string;
  private readonly options: Options;
  private workloads = 0;
  private requests = 0;

  constructor({ system, key, connections, options }: TenantOptions) {
    this.addresses = system;
    this.key = key;
    this.options = options;
    this.headers = { authorization: `Bearer ${key}` };
    this.agent = new Agent({ connections, pipelining: 1 });
    this.products = createWorkload({ orders: 0, seed: options.seed, skus: options.skus }).products;
  }

  async seed(): Promise<void> {
    const { order, inventory } = this.clients();
    await seed(order, inventory, this.products);
  }

  async close(): Promise<void> {
    await this.agent.close();
  }

  /** The next so many different orders of the usual mix, with their repeats. */
  postings(orders: number): Posting[] {
    const { seed, skus } = this.options;
    const { postings } = createWorkload({ orders, seed: seed * MAX_WORKLOADS + this.workloads++, skus });
    return postings;
  }

  async warmUp(): Promise<void> {
    await inParallel(this.postings(this.options.warmUp), this.options.concurrency, (posting) => this.post(posting));
    await this.untilSettled();
  }

  /** Milliseconds until the answer. */
  async post(posting: Posting): Promise<number> {
    const began = performance.now();
    await this.place(posting);
    return performance.now() - began;
  }

  /** Milliseconds until the order is settled. */
  async postAndWait(posting: Posting): Promise<number> {
    const began = performance.now();
    const { id } = await this.place(posting);
    for (;;) {
      const { body } = await request(`${this.urlOf('order')}/orders/${id}`, {
        dispatcher: this.agent,
        headers: { ...this.headers, prefer: 'wait=30' },
      });
      if (((await body.json()) as { status: string }).status !== 'pending') return performance.now() - began;
    }
  }

  /** One POST of an order, whatever its answer. */
  tryToPlace({ key, body }: Posting): Promise<PlainAnswer> {
    return this.tryTo('POST', '/orders', { 'content-type': 'application/json', 'idempotency-key': key }, body);
  }

  /** One request to a service, or to one of its replicas by its address, whatever its answer. */
  async tryTo(
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    path: string,
    headers: Record<string, string> = {},
    body?: object,
    to: ServiceName | { at: string } = 'order',
  ): Promise<PlainAnswer> {
    const response = await request(`${typeof to === 'string' ? this.urlOf(to) : to.at}${path}`, {
      dispatcher: this.agent,
      method,
      headers: { ...this.headers, ...headers },
      body: body && JSON.stringify(body),
    });
    const retryAfter = response.headers['retry-after'];
    return {
      status: response.statusCode,
      retryAfter: Array.isArray(retryAfter) ? retryAfter[0] : retryAfter,
      isReplay: response.headers['idempotent-replayed'] === 'true',
      text: await response.body.text(),
    };
  }

  /** Resolves when every order is settled. */
  async untilSettled(): Promise<void> {
    for (const status of ['pending', 'cancelling']) {
      for (;;) {
        const { body } = await request(`${this.urlOf('order')}/orders?limit=1&status=${status}`, {
          dispatcher: this.agent,
          headers: this.headers,
        });
        if (((await body.json()) as { items: unknown[] }).items.length === 0) break;
        await pause(SETTLED_LOOK_MS);
      }
    }
  }

  /** How many orders have which end, such as `confirmed` or `cancelled: timed_out`. */
  async ends(): Promise<Record<string, number>> {
    const ends: Record<string, number> = {};
    for (const { status, reason } of await this.clients().order.all<{ status: string; reason?: string }>('/orders')) {
      const end = reason === undefined ? status : `${status}: ${reason}`;
      ends[end] = (ends[end] ?? 0) + 1;
    }
    return ends;
  }

  /** A sentence for each fault, found in the services' own lists. */
  async audit(): Promise<string[]> {
    const { sandbox, ...clients } = this.clients();
    const { faults } = await auditBooks({
      ...clients,
      sandbox: this.options.provider === 'sandbox' ? sandbox : undefined,
      initialStock: Object.fromEntries(this.products.map(({ sku, onHand }) => [sku, onHand])),
    });
    return faults;
  }

  private async place(posting: Posting): Promise<{ id: string }> {
    const { status, text } = await this.tryToPlace(posting);
    if (status !== 201) throw new Error(`POST /orders answered ${status}: ${text}`);
    return JSON.parse(text) as { id: string };
  }

  /** The running replicas of the service, in turn. */
  private urlOf(service: ServiceName): string {
    const running = this.addresses.processes.filter(({ name, pid }) => name === service && pid !== undefined);
    return running[this.requests++ % running.length]?.url ?? this.addresses.urls[service];
  }

  clients() {
    const { urls } = this.addresses;
    return {
      order: new ApiClient(urls.order, this.key),
      inventory: new ApiClient(urls.inventory, this.key),
      payment: new ApiClient(urls.payment, this.key),
      sandbox: new ApiClient(urls.sandbox),
    };
  }
}
