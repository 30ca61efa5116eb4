/** The system under test and the few things that every end-to-end test does with it. */
import { randomUUID } from 'node:crypto';
import {
  ApiClient,
  type ApiResponse,
  auditBooks,
  type BooksOptions,
  type BooksReport,
  DEVELOPMENT_KEY,
  ownServices,
  type Posting,
  seed,
  type SeedProduct,
  startSystem,
  type System,
  type SystemOptions,
} from '@shop/system';

export interface Order {
  id: string;
  status: string;
  reason?: string;
  code?: string;
  nextAction?: { type: string; url: string; expiresAt: string };
}

/** How often a client repeats a request that a service did not answer: a minute, for one that is killed as it starts. */
const MAX_REPEATS = 240;
const REPEAT_PAUSE_MS = 250;

export class Shop {
  readonly order: ApiClient;
  readonly inventory: ApiClient;
  readonly payment: ApiClient;
  readonly fulfilment: ApiClient;
  readonly sandbox: ApiClient;
  /** Where the order service tells why it is not ready. */
  readonly orderManagement: ApiClient;

  private constructor(
    readonly system: System,
    private readonly products: readonly SeedProduct[],
    /** All that the services have said so far. */
    readonly log: () => string,
  ) {
    this.order = new ApiClient(system.urls.order, DEVELOPMENT_KEY);
    this.inventory = new ApiClient(system.urls.inventory, DEVELOPMENT_KEY);
    this.payment = new ApiClient(system.urls.payment, DEVELOPMENT_KEY);
    this.fulfilment = new ApiClient(system.urls.fulfilment, DEVELOPMENT_KEY);
    this.sandbox = new ApiClient(system.urls.sandbox);
    this.orderManagement = new ApiClient(system.services.order.managementUrl);
  }

  static async open(products: readonly SeedProduct[], options: Partial<SystemOptions> = {}): Promise<Shop> {
    let text = '';
    const system = await startSystem({
      ports: 'free',
      logFormat: 'json',
      output: (part) => void (text += part),
      ...options,
    });
    const shop = new Shop(system, products, () => text);
    await seed(shop.order, shop.inventory, products);
    return shop;
  }

  close(): Promise<void> {
    return this.system.stop();
  }

  /** What the commands of operators are started with, so that they ask this system. */
  operatorsEnvironment(): NodeJS.ProcessEnv {
    const urls = ownServices.map((name) => [`${name.toUpperCase()}_URL`, this.system.urls[name]]);
    return { ...process.env, ...(Object.fromEntries(urls) as Record<string, string>) };
  }

  /** Every log line of every service so far. */
  lines(): Record<string, unknown>[] {
    return this.log()
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  place(items: { sku: string; quantity: number }[], source = 'tok_ok', key: string = randomUUID()) {
    return this.order.post<Order>('/orders', { customerId: 'alice', items, payment: { source } }, key);
  }

  /** Waits on while the order waits for its customer: what is known is no news. */
  async settled(id: string): Promise<ApiResponse<Order>> {
    const answer = await this.order.get<Order>(`/orders/${id}`, { prefer: 'wait=30' });
    const { nextAction } = answer.body;
    if (!nextAction) return answer;
    const known = { prefer: 'wait=30', 'if-none-match': answer.headers.get('etag')! };
    const later = await this.order.get<Order>(`/orders/${id}`, known);
    return later.status === 304 ? answer : later;
  }

  /** Posts as a good client does: the same key again until there is an answer. */
  async post({ key, body }: Pick<Posting, 'key' | 'body'>): Promise<ApiResponse<Order>> {
    for (let attempt = 1; ; attempt++) {
      const response = await this.order.post<Order>('/orders', body, key).catch(() => undefined);
      const retry = !response || response.status >= 429 || response.body.code === 'idempotency_key_in_use';
      if (!retry || attempt === MAX_REPEATS)
        return response ?? Promise.reject(new Error('the gateway does not answer'));
      await new Promise((resolve) => setTimeout(resolve, REPEAT_PAUSE_MS));
    }
  }

  books(more: Pick<BooksOptions, 'neighbours'> = {}): Promise<BooksReport> {
    const initialStock = Object.fromEntries(this.products.map(({ sku, onHand }) => [sku, onHand]));
    const { order, inventory, payment, fulfilment, sandbox } = this;
    return auditBooks({ order, inventory, payment, fulfilment, sandbox, initialStock, ...more });
  }
}
