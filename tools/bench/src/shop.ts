/** The shop under load: a fresh system with a seeded catalogue, and the ways to post to it. */
import {
  ApiClient,
  auditBooks,
  createWorkload,
  DEVELOPMENT_KEY,
  inParallel,
  type Posting,
  seed,
  startSystem,
  type System,
} from '@shop/system';
import { Agent, request } from 'undici';
import { pause } from './load';
import type { Options } from './options';
import { Warnings } from './warnings';

export interface ShopOptions {
  options: Options;
  /** The largest number of requests at once. */
  connections: number;
  say: (sentence: string) => void;
}

export interface PlaceAnswer {
  status: number;
  retryAfter: string | undefined;
  text: string;
}

/** Workloads within one shop get seeds of their own, so that no key comes twice. */
const MAX_WORKLOADS = 1_000;
const SETTLED_LOOK_MS = 10;

export class Shop {
  private readonly headers = { authorization: `Bearer ${DEVELOPMENT_KEY}` };
  private workloads = 0;
  private requests = 0;

  private constructor(
    readonly system: System,
    readonly agent: Agent,
    readonly products: ReturnType<typeof createWorkload>['products'],
    private readonly options: Options,
    /** Sentences about processes that ended by themselves. */
    private readonly crashes: string[],
    /** The warnings of the services so far, by event. */
    readonly warnings: Readonly<Record<string, number>>,
  ) {}

  static async open({ options, connections, say }: ShopOptions): Promise<Shop> {
    const crashes: string[] = [];
    const warnings = new Warnings();
    const system = await startSystem({
      ports: 'free',
      logFormat: 'json',
      output: (text, pid) => warnings.read(text, pid),
      provider: options.provider,
      nodeOptions: options.profile ? { [options.profile]: ['--cpu-prof', '--cpu-prof-dir=.'] } : {},
      onCrash: (name, how) => void crashes.push(`the ${name} service has ended (${how})`),
    });
    const agent = new Agent({ connections, pipelining: 1 });
    const { products } = createWorkload({ orders: 0, seed: options.seed, skus: options.skus });
    const shop = new Shop(system, agent, products, options, crashes, warnings.counts);
    try {
      say('  seeding');
      const { order, inventory } = shop.clients();
      await seed(order, inventory, products);
      return shop;
    } catch (error) {
      await shop.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.agent.close();
    await this.system.stop();
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
    const { body } = await request(`${this.orderUrl()}/orders/${id}`, {
      dispatcher: this.agent,
      headers: { ...this.headers, prefer: 'wait=30' },
    });
    await body.text();
    return performance.now() - began;
  }

  /** One POST, whatever its answer. */
  async tryToPlace({ key, body }: Posting): Promise<PlaceAnswer> {
    const response = await request(`${this.orderUrl()}/orders`, {
      dispatcher: this.agent,
      method: 'POST',
      headers: { ...this.headers, 'content-type': 'application/json', 'idempotency-key': key },
      body: JSON.stringify(body),
    });
    const retryAfter = response.headers['retry-after'];
    return {
      status: response.statusCode,
      retryAfter: Array.isArray(retryAfter) ? retryAfter[0] : retryAfter,
      text: await response.body.text(),
    };
  }

  /** Resolves when every order is settled. */
  async untilSettled(): Promise<void> {
    for (const status of ['pending', 'cancelling']) {
      for (;;) {
        const { body } = await request(`${this.orderUrl()}/orders?limit=1&status=${status}`, {
          dispatcher: this.agent,
          headers: this.headers,
        });
        if (((await body.json()) as { items: unknown[] }).items.length === 0) break;
        await pause(SETTLED_LOOK_MS);
      }
    }
  }

  /** A sentence for each fault, found in the services' own lists. */
  async audit(): Promise<string[]> {
    const { sandbox, ...clients } = this.clients();
    const { faults } = await auditBooks({
      ...clients,
      sandbox: this.options.provider === 'sandbox' ? sandbox : undefined,
      initialStock: Object.fromEntries(this.products.map(({ sku, onHand }) => [sku, onHand])),
    });
    return [...faults, ...this.ended()];
  }

  /** A sentence for each process that has ended by itself. */
  ended(): string[] {
    return [...this.crashes];
  }

  private async place(posting: Posting): Promise<{ id: string }> {
    const { status, text } = await this.tryToPlace(posting);
    if (status !== 201) throw new Error(`POST /orders answered ${status}: ${text}`);
    return JSON.parse(text) as { id: string };
  }

  /** The running order services, in turn. */
  private orderUrl(): string {
    const running = this.system.processes.filter(({ name, pid }) => name === 'order' && pid !== undefined);
    return running[this.requests++ % running.length]?.url ?? this.system.urls.order;
  }

  private clients() {
    const { urls } = this.system;
    return {
      order: new ApiClient(urls.order, DEVELOPMENT_KEY),
      inventory: new ApiClient(urls.inventory, DEVELOPMENT_KEY),
      payment: new ApiClient(urls.payment, DEVELOPMENT_KEY),
      sandbox: new ApiClient(urls.sandbox),
    };
  }
}
