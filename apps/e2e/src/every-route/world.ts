/** Two replicas of each service, the first one behind a proxy that can cut its answers off, and fresh subjects for requests. */
import { randomUUID } from 'node:crypto';
import { ApiClient, type ApiResponse, catalogue, DEVELOPMENT_KEY, ownServices } from '@shop/system';
import { startTcpProxy, type TcpProxy } from '@shop/testing';
import { Pool } from 'pg';
import { Shop } from '../shop';
import type { Attempt, Service } from './attempt';

/** More than the rows take. */
const TENANTS = 60;
const ALL_ROLES = 'customer+operator+admin+platform';

export interface Answer {
  status: number;
  body: Record<string, unknown>;
  text: string;
  etag: string | null;
  replayed: boolean;
}

interface Doors {
  proxy: TcpProxy;
  /** The addresses of both replicas; the first one goes through the proxy. */
  urls: [string, string];
  database: Pool;
}

export class World {
  private count = 0;
  private tenants = 0;

  private constructor(
    readonly shop: Shop,
    private readonly doors: Record<Service, Doors>,
  ) {}

  static async open(): Promise<World> {
    const tenants = Array.from({ length: TENANTS }, (_, n) => `${keyOf(n)}=${tenantOf(n)}/owner:${ALL_ROLES}`);
    const keys = [`${DEVELOPMENT_KEY}=demo/developer:${ALL_ROLES}`, ...tenants];
    const shop = await Shop.open(catalogue, { env: { API_KEYS: keys.join(',') } });
    const doors = {} as Record<Service, Doors>;
    for (const service of ownServices as Service[]) {
      const { port } = new URL(shop.system.urls[service]);
      const proxy = await startTcpProxy('127.0.0.1', Number(port));
      const replica = await shop.system.addReplica(service);
      const database = new Pool({ connectionString: shop.system.stack.databaseUrl(service), max: 2 });
      doors[service] = { proxy, urls: [`http://127.0.0.1:${proxy.port}`, replica.url], database };
    }
    return new World(shop, doors);
  }

  async close(): Promise<void> {
    for (const { proxy, database } of Object.values(this.doors)) {
      await proxy.close();
      await database.end();
    }
    await this.shop.close();
  }

  /** A name that nothing else has. */
  name(): string {
    return `n-${randomUUID()}`;
  }

  /** A number that nothing else has, and that is an amount of money which can be paid. */
  amount(): number {
    return 10_000 + ++this.count;
  }

  /** A tenant of whom there is nothing yet, and the key of its owner. */
  tenant(): { tenant: string; apiKey: string } {
    const n = this.tenants++;
    if (n >= TENANTS) throw new Error('TENANTS of world.ts is too small');
    return { tenant: tenantOf(n), apiKey: keyOf(n) };
  }

  async send(service: Service, method: string, attempt: Omit<Attempt, 'done'>, replica: 0 | 1 = 1): Promise<Answer> {
    const { path, body, headers, apiKey = DEVELOPMENT_KEY } = attempt;
    const client = new ApiClient(this.doors[service].urls[replica], apiKey);
    const answer: ApiResponse<Record<string, unknown>> = await client.send(method, path, { body, headers });
    const replayed = answer.headers.get('idempotent-replayed') === 'true';
    return { status: answer.status, body: answer.body, text: answer.text, etag: answer.headers.get('etag'), replayed };
  }

  /** Sends something that has to be there before the request that counts. */
  async prepare(service: Service, method: string, path: string, body?: unknown, headers = {}): Promise<Answer> {
    const key: Record<string, string> = method === 'POST' ? { 'idempotency-key': randomUUID() } : {};
    const answer = await this.send(service, method, { path, body, headers: { ...key, ...headers } });
    if (answer.status >= 300) throw new Error(`${method} ${path} answered ${answer.status}: ${answer.text}`);
    return answer;
  }

  /** Runs a statement whose first column is a number. */
  async number(service: Service, text: string, ...values: unknown[]): Promise<number> {
    const [row] = await this.rows(service, text, ...values);
    return Number(Object.values(row ?? {})[0]);
  }

  async rows<Row extends object = object>(service: Service, text: string, ...values: unknown[]): Promise<Row[]> {
    return (await this.doors[service].database.query<Row>({ text, values })).rows;
  }

  /**
   * Sends a request whose answer is lost: the connection is cut as soon as `arrived` no longer throws. What the service
   * was doing goes on.
   */
  async loseAnswer(service: Service, method: string, attempt: Attempt, arrived: () => Promise<void>): Promise<void> {
    const { proxy } = this.doors[service];
    proxy.mute();
    try {
      const lost = this.send(service, method, attempt, 0).then(
        ({ status }) => Promise.reject(new Error(`the answer ${status} was not lost`)),
        () => undefined,
      );
      await arrived();
      await proxy.cut();
      await lost;
    } finally {
      await proxy.restore();
      proxy.resume();
    }
  }
}

const keyOf = (n: number): string => `key-of-tenant-${n}`;

const tenantOf = (n: number): string => `tenant-${n}`;
