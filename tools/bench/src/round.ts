/** One round: a fresh system, the floor, a burst and a steady load on the product, and the books. */
import {
  ApiClient,
  auditBooks,
  createWorkload,
  DEVELOPMENT_KEY,
  inParallel,
  seed,
  type ServiceName,
  startSystem,
  type System,
} from '@shop/system';
import { Agent, request } from 'undici';
import { measureCost, type Cost } from './cost';
import { measureFloor } from './floor';
import { inOpenLoop, percentiles, type Percentiles } from './load';

export interface RoundOptions {
  orders: number;
  warmUp: number;
  concurrency: number;
  skus: number;
  steadySeconds: number;
  /** Orders per second. */
  steadyRate: number;
  seed: number;
  provider: 'sandbox' | 'simulated';
  /** A service whose CPU profile is written. */
  profile?: string;
  say: (sentence: string) => void;
}

export interface RoundResult {
  floorPerSecond: number;
  burst: { ordersPerSecond: number; postMs: Percentiles; cost: Cost };
  steady: { postToFinalMs: Percentiles; cost: Cost } | undefined;
  faults: string[];
}

type Posting = ReturnType<typeof createWorkload>['postings'][number];

export async function runRound(options: RoundOptions): Promise<RoundResult> {
  const { say, orders, warmUp, skus, concurrency, steadyRate, steadySeconds } = options;
  const steadyOrders = steadyRate * steadySeconds;
  const workload = createWorkload({ orders: warmUp + orders + steadyOrders, seed: options.seed, skus });
  let log = '';
  const system = await startSystem({
    ports: 'free',
    logFormat: 'json',
    output: (text) => void (log = (log + text).slice(-5_000)),
    provider: options.provider,
    nodeOptions: options.profile ? { [options.profile as ServiceName]: ['--cpu-prof', '--cpu-prof-dir=.'] } : {},
  });
  const agent = new Agent({ connections: concurrency, pipelining: 1 });
  try {
    const clients = clientsOf(system);
    say('  seeding');
    await seed(clients.order, clients.inventory, workload.products);
    say('  measuring the floor');
    const floorPerSecond = await measureFloor({
      databaseUrl: system.stack.databaseUrl('order'),
      orders,
      concurrency,
      agent,
    });
    const shop = new LoadedShop(system, agent);
    const split = splitAt(workload.postings, [warmUp, warmUp + orders]);
    say('  warming up');
    await inParallel(split[0]!, concurrency, (posting) => shop.post(posting));
    await shop.untilSettled();
    say(`  burst of ${orders} orders at concurrency ${concurrency}`);
    const burst = await measureBurst(system, shop, split[1]!, concurrency, orders);
    say(
      `  ${Math.round(burst.ordersPerSecond)} orders/s, ${(burst.ordersPerSecond / floorPerSecond).toFixed(2)} of the floor`,
    );
    const steady = steadyOrders > 0 ? await measureSteady(system, shop, split[2]!, options) : undefined;
    await shop.untilSettled();
    const initialStock = Object.fromEntries(workload.products.map(({ sku, onHand }) => [sku, onHand]));
    const { faults } = await auditBooks({
      ...clients,
      sandbox: options.provider === 'sandbox' ? clients.sandbox : undefined,
      initialStock,
    });
    return { floorPerSecond, burst, steady, faults };
  } finally {
    await agent.close();
    await system.stop();
  }
}

async function measureBurst(
  system: System,
  shop: LoadedShop,
  postings: Posting[],
  concurrency: number,
  orders: number,
) {
  const latencies: number[] = [];
  const { cost, seconds } = await measureCost(system, orders, async () => {
    await inParallel(postings, concurrency, async (posting) => void latencies.push(await shop.post(posting)));
    await shop.untilSettled();
  });
  return { ordersPerSecond: orders / seconds, postMs: percentiles(latencies), cost };
}

async function measureSteady(
  system: System,
  shop: LoadedShop,
  postings: Posting[],
  { steadyRate, steadySeconds, say }: RoundOptions,
) {
  say(`  ${steadyRate} orders/s for ${steadySeconds} s`);
  const latencies: number[] = [];
  const firsts = postings.filter(({ repeat }) => !repeat);
  const { cost } = await measureCost(system, firsts.length, () =>
    inOpenLoop(firsts, steadyRate, async (posting) => void latencies.push(await shop.postAndWait(posting))),
  );
  return { postToFinalMs: percentiles(latencies), cost };
}

/** The product as a client that wants speed uses it. */
class LoadedShop {
  private readonly url: string;
  private readonly headers = { authorization: `Bearer ${DEVELOPMENT_KEY}` };

  constructor(
    system: System,
    private readonly dispatcher: Agent,
  ) {
    this.url = system.urls.order;
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
    const { body } = await request(`${this.url}/orders/${id}`, {
      dispatcher: this.dispatcher,
      headers: { ...this.headers, prefer: 'wait=30' },
    });
    await body.text();
    return performance.now() - began;
  }

  /** Resolves when no order is on its way. */
  async untilSettled(): Promise<void> {
    for (const status of ['pending', 'cancelling']) {
      for (;;) {
        const { body } = await request(`${this.url}/orders?limit=1&status=${status}`, {
          dispatcher: this.dispatcher,
          headers: this.headers,
        });
        if (((await body.json()) as { items: unknown[] }).items.length === 0) break;
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    }
  }

  private async place({ key, body }: Posting): Promise<{ id: string }> {
    const response = await request(`${this.url}/orders`, {
      dispatcher: this.dispatcher,
      method: 'POST',
      headers: { ...this.headers, 'content-type': 'application/json', 'idempotency-key': key },
      body: JSON.stringify(body),
    });
    const text = await response.body.text();
    if (response.statusCode !== 201) throw new Error(`POST /orders answered ${response.statusCode}: ${text}`);
    return JSON.parse(text) as { id: string };
  }
}

function clientsOf({ urls }: System) {
  return {
    order: new ApiClient(urls.order, DEVELOPMENT_KEY),
    inventory: new ApiClient(urls.inventory, DEVELOPMENT_KEY),
    payment: new ApiClient(urls.payment, DEVELOPMENT_KEY),
    sandbox: new ApiClient(urls.sandbox),
  };
}

/** Cuts the postings where so many different orders have been posted; repeats fall where they fall. */
function splitAt(postings: Posting[], borders: number[]): Posting[][] {
  const parts: Posting[][] = borders.map(() => []);
  parts.push([]);
  let orders = 0;
  for (const posting of postings) {
    if (!posting.repeat) orders++;
    const part = borders.findIndex((border) => orders <= border);
    parts[part < 0 ? borders.length : part]!.push(posting);
  }
  return parts;
}
