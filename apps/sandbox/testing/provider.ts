/** The sandbox on a real socket, with the real SDK pointed at it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createHttpApp } from '@shop/http';
import { createLogger } from '@shop/observability';
import Stripe from 'stripe';
import { createSandboxModule, type SandboxOptions } from '../src/sandbox.module';

export const TIMEOUT_MS = 500;

export interface TestProvider {
  url: string;
  stripe: Stripe;
  /** Sends JSON to an admin route. */
  admin: <T>(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: object) => Promise<T>;
  restart: () => Promise<void>;
  close: () => Promise<void>;
}

export async function startProvider(options: Partial<SandboxOptions> = {}): Promise<TestProvider> {
  const logger = createLogger({ service: 'sandbox', level: 'silent', format: 'json' });
  const folder = mkdtempSync(join(tmpdir(), 'sandbox-'));
  const file = join(folder, 'books.jsonl');
  let app: NestFastifyApplication;
  let agent: Agent;
  const start = async () => {
    app = await createHttpApp(createSandboxModule({ logger, file, ...options }), {
      title: 'Sandbox',
      description: '',
      logger,
    });
    await app.listen(0, '127.0.0.1');
    provider.url = await app.getUrl();
    agent = new Agent({ keepAlive: true });
    const { hostname: host, port } = new URL(provider.url);
    const client = { host, port, protocol: 'http', httpAgent: agent, timeout: TIMEOUT_MS } as const;
    provider.stripe = new Stripe('sk_test_sandbox', { ...client, maxNetworkRetries: 0, telemetry: false });
  };
  const stop = async () => {
    agent.destroy();
    await app.close();
  };
  const provider = {
    admin: async <T>(method: string, path: string, body?: object) => {
      const headers = body ? { 'content-type': 'application/json' } : undefined;
      const response = await fetch(`${provider.url}/admin/${path}`, {
        method,
        headers,
        body: body && JSON.stringify(body),
      });
      return (response.status === 204 ? undefined : await response.json()) as T;
    },
    restart: async () => {
      await stop();
      await start();
    },
    close: async () => {
      await stop();
      rmSync(folder, { recursive: true });
    },
  } as TestProvider;
  await start();
  return provider;
}

export async function failureOf(work: Promise<unknown>): Promise<Stripe.errors.StripeError> {
  return work.then(
    () => Promise.reject(new Error('it succeeded')),
    (error: Stripe.errors.StripeError) => error,
  );
}
