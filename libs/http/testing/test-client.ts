/** A service in the process of a test, asked without a socket, and its database looked into. */
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Database } from '@shop/postgres';

export type Method = 'GET' | 'HEAD' | 'OPTIONS' | 'PUT' | 'PATCH' | 'POST' | 'DELETE';

export interface Call {
  /** The API key; the one of the client unless given, null for none. */
  key?: string | null;
  /** Text is sent as it is, as JSON. */
  body?: object | string;
  headers?: Record<string, string>;
}

export type Answer = Awaited<ReturnType<TestClient['call']>>;

export class TestClient {
  constructor(
    readonly app: NestFastifyApplication,
    private readonly ownKey: string,
  ) {}

  call(method: Method, url: string, { key = this.ownKey, body, headers = {} }: Call = {}) {
    const authorization: Record<string, string> = key === null ? {} : { authorization: `Bearer ${key}` };
    const type: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' };
    return this.app.inject({ method, url, headers: { ...authorization, ...type, ...headers }, payload: body });
  }

  query<Row>(text: string, values: unknown[] = []): Promise<Row[]> {
    return this.app.get(Database).dataSource.query<Row[]>(text, values);
  }

  close(): Promise<void> {
    return this.app.close();
  }
}
