/** The order service in the process of a test, with its own broker. The test sends it requests without a socket. */
import { randomUUID } from 'node:crypto';
import { type Answer, type Call, callersOf, expectProblem, TestClient } from '@shop/http/testing';
import { openService, type ServiceUrls } from '@shop/service/testing';
import { type Stack, startStack } from '@shop/stack';
import { eventually, type TestStack } from '@shop/testing';
import { Client } from 'pg';
import { orderService } from '../src/app';
import { OrderWatch } from '../src/orders/reading/order-watch';

const known = callersOf({
  operator: 'acme/olga:operator+platform',
  alice: 'acme/alice:customer',
  bob: 'acme/bob:customer',
  /** A caller of another tenant. */
  rival: 'rival/rita:customer+operator',
});
export const { callers } = known;

/** On a shared broker, unanswered commands would reach the services of other test files. */
export function startOwnBroker({ adminUrl }: TestStack): Promise<Stack> {
  return startStack({ databases: [], env: { ...process.env, DATABASE_URL: adminUrl, NATS_URL: '' } });
}

export interface TwoOrderApps {
  here: OrderApp;
  there: OrderApp;
  /** The address of their broker. */
  natsUrl: string;
  /** Closes the apps that are still open, and ends the broker. */
  close: (...open: OrderApp[]) => Promise<void>;
}

export { type Answer, expectProblem };

/** Requests come from Alice, unless a call names another caller. */
export class OrderApp extends TestClient {
  /** @param env more variables */
  static async start(urls: ServiceUrls, env: Record<string, string> = {}): Promise<OrderApp> {
    const service = await openService(orderService, urls, { API_KEYS: known.API_KEYS, ...env });
    return new OrderApp(service, callers.alice);
  }

  /** Two instances of the whole app on one database, with their own broker. */
  static async startTwo(stack: TestStack): Promise<TwoOrderApps> {
    const broker = await startOwnBroker(stack);
    const urls = { databaseUrl: stack.databaseUrl, natsUrl: broker.natsUrl };
    const close = async (...open: OrderApp[]) => {
      await Promise.all(open.map((app) => app.close()));
      await broker.stop();
    };
    const starts = await Promise.allSettled([OrderApp.start(urls), OrderApp.start(urls)]);
    const [here, there] = starts.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []));
    if (here && there) return { here, there, natsUrl: broker.natsUrl, close };
    if (here) await close(here);
    throw new AggregateError(starts.flatMap((start) => (start.status === 'rejected' ? [start.reason] : [])));
  }

  /** Also opens a socket, for clients that go away. Returns its address. */
  async listen(): Promise<string> {
    await this.app.listen(0, '127.0.0.1');
    return this.app.getUrl();
  }

  /** The number of waits for an order in this instance. */
  get watchers(): number {
    return this.app.get(OrderWatch).size;
  }

  get(url: string, call?: Call) {
    return this.call('GET', url, call);
  }

  put(url: string, body: object, call?: Call) {
    return this.call('PUT', url, { ...call, body });
  }

  /** `POST /orders`. */
  place(body: object | string = orderBody(), { idempotencyKey = randomUUID(), ...call }: PlaceCall = {}) {
    return this.call('POST', '/orders', {
      ...call,
      body,
      headers: { 'idempotency-key': idempotencyKey, ...call.headers },
    });
  }

  async putProduct(sku: string, amount: number, call: Call = { key: callers.operator }, currency = 'EUR') {
    return this.put(`/products/${sku}`, { name: `The ${sku}`, unitPrice: { amount, currency } }, call);
  }

  /** The number of orders, sagas and stored answers to POST and PUT /orders. */
  async counts(): Promise<{ orders: number; sagas: number; answers: number }> {
    const [counts] = await this.query<{ orders: number; sagas: number; answers: number }>(`
      select (select count(*)::int from orders) as orders, (select count(*)::int from saga) as sagas,
             (select count(*)::int from ledger where scope like '%/orders%') as answers`);
    return counts!;
  }
}

interface PlaceCall extends Call {
  idempotencyKey?: string;
}

export interface OrderJson {
  id: string;
  status: string;
  reason?: string;
  total: { amount: number; currency: string };
  createdAt: string;
  updatedAt: string;
}

/** An order of two cups. */
export function orderBody(changed: object = {}): object {
  return {
    customerId: 'alice',
    items: [{ sku: 'cup', quantity: 2 }],
    payment: { source: 'tok_ok' },
    ...changed,
  };
}

/** A backend of PostgreSQL reports its counts before it ends, so the apps are closed first. */
export async function deadlocksAfterClosing(stack: TestStack, ...apps: OrderApp[]): Promise<number> {
  await Promise.all(apps.map((app) => app.close()));
  const client = new Client({ connectionString: stack.adminUrl });
  await client.connect();
  try {
    await eventually(async () => {
      const { rows } = await client.query('select 1 from pg_stat_activity where datname = $1', [stack.databaseName]);
      expect(rows).toEqual([]);
    });
    const { rows } = await client.query<{ deadlocks: number }>(
      'select deadlocks::int from pg_stat_database where datname = $1',
      [stack.databaseName],
    );
    return rows[0]!.deadlocks;
  } finally {
    await client.end();
  }
}
