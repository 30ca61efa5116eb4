/** The order service in the process of a test, with a broker of its own and asked without a socket. */
import { randomUUID } from 'node:crypto';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createLogger } from '@shop/observability';
import { Database } from '@shop/postgres';
import { readEnvironment } from '@shop/service';
import { type Stack, startStack } from '@shop/stack';
import { eventually, type TestStack } from '@shop/testing';
import { Client } from 'pg';
import { buildOrderApp } from '../src/app';
import { OrderEnvironment } from '../src/environment';
import { OrderWatch } from '../src/orders/order-watch';

/** The keys of the callers that every test knows. */
export const callers = {
  operator: 'key-operator',
  alice: 'key-alice',
  bob: 'key-bob',
  /** Of another tenant. */
  rival: 'key-rival',
} as const;
const API_KEYS = [
  `${callers.operator}=acme/olga:operator`,
  `${callers.alice}=acme/alice:customer`,
  `${callers.bob}=acme/bob:customer`,
  `${callers.rival}=rival/rita:customer+operator`,
].join();

export interface Call {
  /** The API key; alice's unless given, null for none. */
  key?: string | null;
  /** Text is sent as it is, as JSON. */
  body?: object | string;
  headers?: Record<string, string>;
}

/** Commands that nobody takes would otherwise meet the services of other test files. */
export function startOwnBroker({ adminUrl }: TestStack): Promise<Stack> {
  return startStack({ databases: [], env: { ...process.env, DATABASE_URL: adminUrl, NATS_URL: '' } });
}

export interface TwoOrderApps {
  here: OrderApp;
  there: OrderApp;
  /** Of their broker. */
  natsUrl: string;
  /** Closes those that are open by then, and ends the broker. */
  close: (...open: OrderApp[]) => Promise<void>;
}

export class OrderApp {
  private constructor(private readonly app: NestFastifyApplication) {}

  static async start(urls: { databaseUrl: string; natsUrl: string }): Promise<OrderApp> {
    const environment = readEnvironment(OrderEnvironment, {
      ORDER_DATABASE_URL: urls.databaseUrl,
      NATS_URL: urls.natsUrl,
      API_KEYS,
    });
    const logger = createLogger({ service: 'order', level: 'silent', format: 'json' });
    const app = await buildOrderApp(environment, logger);
    await app.startAllMicroservices();
    await app.init();
    await app.getHttpAdapter().getInstance().ready();
    return new OrderApp(app);
  }

  /** Two instances of the whole app on one database, with a broker of their own. */
  static async startTwo(stack: TestStack): Promise<TwoOrderApps> {
    const broker = await startOwnBroker(stack);
    const urls = { databaseUrl: stack.databaseUrl, natsUrl: broker.natsUrl };
    const [here, there] = await Promise.all([OrderApp.start(urls), OrderApp.start(urls)]);
    const close = async (...open: OrderApp[]) => {
      await Promise.all(open.map((app) => app.close()));
      await broker.stop();
    };
    return { here, there, natsUrl: broker.natsUrl, close };
  }

  close(): Promise<void> {
    return this.app.close();
  }

  /** Opens a socket as well, for clients that go away; answers its address. */
  async listen(): Promise<string> {
    await this.app.listen(0, '127.0.0.1');
    return this.app.getUrl();
  }

  call(method: Method, url: string, { key = callers.alice, body, headers = {} }: Call = {}) {
    const authorization: Record<string, string> = key === null ? {} : { authorization: `Bearer ${key}` };
    const type: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' };
    return this.app.inject({ method, url, headers: { ...authorization, ...type, ...headers }, payload: body });
  }

  /** How many wait for an order, here. */
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

  query<Row>(text: string, values: unknown[] = []): Promise<Row[]> {
    return this.app.get(Database).dataSource.query<Row[]>(text, values);
  }

  /** How many orders, sagas and stored answers to POST and PUT /orders there are. */
  async counts(): Promise<{ orders: number; sagas: number; answers: number }> {
    const [counts] = await this.query<{ orders: number; sagas: number; answers: number }>(`
      select (select count(*)::int from orders) as orders, (select count(*)::int from saga) as sagas,
             (select count(*)::int from ledger where scope like '%/orders%') as answers`);
    return counts!;
  }
}

type Method = 'GET' | 'HEAD' | 'OPTIONS' | 'PUT' | 'PATCH' | 'POST' | 'DELETE';

interface PlaceCall extends Call {
  idempotencyKey?: string;
}

export type Answer = Awaited<ReturnType<OrderApp['call']>>;

export interface OrderJson {
  id: string;
  status: string;
  reason?: string;
  total: { amount: number; currency: string };
}

/** Two cups. */
export function orderBody(changed: object = {}): object {
  return {
    customerId: 'alice',
    items: [{ sku: 'cup', quantity: 2 }],
    payment: { source: 'tok_ok' },
    ...changed,
  };
}

/** A backend reports what it counted before it is gone. */
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

/** RFC 9457, with our stable code. */
export function expectProblem(answer: Answer, status: number, code: string): void {
  const body = answer.json<Record<string, unknown>>();
  expect({ status: answer.statusCode, code: body['code'] }).toEqual({ status, code });
  expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
  const text = expect.any(String) as string;
  expect(body).toMatchObject({ type: `urn:shop:problem:${code}`, title: text, detail: text, status });
  expect(body).not.toHaveProperty('stack');
}
