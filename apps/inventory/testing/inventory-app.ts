/** The inventory service in the process of a test, asked without a socket. */
import { randomUUID } from 'node:crypto';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createLogger } from '@shop/observability';
import { Database } from '@shop/postgres';
import { readEnvironment } from '@shop/service';
import { buildInventoryApp } from '../src/app';
import { InventoryEnvironment } from '../src/environment';

/** The keys of the callers that every test knows. */
export const callers = {
  operator: 'key-operator',
  /** An operator of the same tenant. */
  second: 'key-second',
  customer: 'key-customer',
  /** Of another tenant. */
  rival: 'key-rival',
} as const;
const API_KEYS = [
  `${callers.operator}=acme/olga:customer+operator`,
  `${callers.second}=acme/otto:operator`,
  `${callers.customer}=acme/carl:customer`,
  `${callers.rival}=rival/rita:operator`,
].join();

type Method = 'GET' | 'HEAD' | 'OPTIONS' | 'PUT' | 'PATCH' | 'POST' | 'DELETE';

export interface Call {
  /** The API key; the operator's unless given, null for none. */
  key?: string | null;
  body?: object | string;
  headers?: Record<string, string>;
}

export class InventoryApp {
  private constructor(private readonly app: NestFastifyApplication) {}

  static async start(urls: { databaseUrl: string; natsUrl: string }): Promise<InventoryApp> {
    const environment = readEnvironment(InventoryEnvironment, {
      INVENTORY_DATABASE_URL: urls.databaseUrl,
      NATS_URL: urls.natsUrl,
      API_KEYS,
    });
    const logger = createLogger({ service: 'inventory', level: 'silent', format: 'json' });
    const app = await buildInventoryApp(environment, logger);
    await app.init();
    await app.getHttpAdapter().getInstance().ready();
    return new InventoryApp(app);
  }

  close(): Promise<void> {
    return this.app.close();
  }

  call(method: Method, url: string, { key = callers.operator, body, headers }: Call = {}) {
    const authorization: Record<string, string> = key === null ? {} : { authorization: `Bearer ${key}` };
    return this.app.inject({ method, url, headers: { ...authorization, ...headers }, payload: body });
  }

  get(sku: string, headers?: Record<string, string>) {
    return this.call('GET', `/stock/${sku}`, { headers });
  }

  put(sku: string, onHand: number, headers?: Record<string, string>) {
    return this.call('PUT', `/stock/${encodeURIComponent(sku)}`, { body: { onHand }, headers });
  }

  adjust(sku: string, body: object, idempotencyKey: string = randomUUID(), key: string = callers.operator) {
    return this.call('POST', `/stock/${sku}/adjustments`, {
      key,
      body,
      headers: { 'idempotency-key': idempotencyKey },
    });
  }

  async movementsOf(sku: string): Promise<number[]> {
    const select = 'select delta from stock_movement where sku = $1 order by id';
    return (await this.query<{ delta: string }>(select, [sku])).map(({ delta }) => Number(delta));
  }

  query<Row>(text: string, values: unknown[] = []): Promise<Row[]> {
    return this.app.get(Database).dataSource.query<Row[]>(text, values);
  }
}

export type Answer = Awaited<ReturnType<InventoryApp['call']>>;

/** RFC 9457, with our stable code. */
export function expectProblem(
  answer: Answer,
  status: number,
  code: string,
  members: Record<string, unknown> = {},
): void {
  const body = answer.json<Record<string, unknown>>();
  expect({ status: answer.statusCode, code: body['code'] }).toEqual({ status, code });
  expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
  const text = expect.any(String) as string;
  expect(body).toMatchObject({ type: `urn:shop:problem:${code}`, title: text, detail: text, status });
  expect(body).toMatchObject(matching(members) as Record<string, unknown>);
  expect(body).not.toHaveProperty('stack');
}

/** Regular expressions anywhere in the value stand for texts that match them. */
function matching(value: unknown): unknown {
  if (value instanceof RegExp) return expect.stringMatching(value);
  if (Array.isArray(value)) return value.map(matching);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, matching(member)]));
}

export const newSku = () => `sku-${randomUUID()}`;
