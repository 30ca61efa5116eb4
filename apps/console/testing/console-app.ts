/** The server of the console, in this process, in front of fake services. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createHttpApp } from '@shop/http';
import { createLogger } from '@shop/observability';
import type { Sealer } from '@shop/sealing';
import { createConsoleModule } from '../src/console.module';
import type { ConsoleSettings } from '../src/console-settings';
import { sessionSealer } from '../src/secret';
import { type FakeService, startFakeService } from './fake-services';

export interface Ask {
  method?: string;
  url: string;
  cookie?: string;
  headers?: Record<string, string>;
  body?: unknown;
}

/** Nobody else's. */
export const HOST = 'console.example';
export const OWN = { 'x-console': '1', origin: `http://${HOST}`, 'sec-fetch-site': 'same-origin' };

export class ConsoleApp {
  private constructor(
    readonly app: NestFastifyApplication,
    readonly order: FakeService,
    readonly url: string,
    private readonly pageDir: string,
  ) {}

  static async start(settings: Partial<ConsoleSettings> & { now?: () => number; sealer?: Sealer } = {}) {
    const { now, sealer = sessionSealer({}), ...more } = settings;
    const order = await startFakeService();
    const pageDir = mkdtempSync(join(tmpdir(), 'console-page-'));
    mkdirSync(join(pageDir, 'assets'));
    writeFileSync(join(pageDir, 'index.html'), '<!doctype html><title>The page</title>');
    writeFileSync(join(pageDir, 'assets', 'app.js'), '1;');
    const logger = createLogger({ service: 'console', level: 'silent', format: 'json' });
    const away = 'http://127.0.0.1:1';
    const urls = { order: order.url, inventory: away, payment: order.url, fulfilment: order.url };
    const all = { urls, cookie: { secure: false }, metrics: [], pageDir, ...more };
    const module = createConsoleModule({ logger, settings: all, sealer, now });
    const app = await createHttpApp(module, { title: 'Console', description: '', logger, docs: false });
    await app.listen(0, '127.0.0.1');
    return new ConsoleApp(app, order, await app.getUrl(), pageDir);
  }

  async close(): Promise<void> {
    await this.app.close();
    this.order.close();
    rmSync(this.pageDir, { recursive: true });
  }

  /** As our own page asks, unless the headers say otherwise. */
  ask({ method = 'GET', url, cookie, headers = OWN, body }: Ask) {
    return this.app.inject({
      method: method as 'GET',
      url,
      headers: {
        host: HOST,
        ...headers,
        ...(cookie && { cookie }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      payload: body === undefined ? undefined : JSON.stringify(body),
    });
  }

  /** The cookie of a session with this key. */
  async signIn(key: string): Promise<string> {
    const answer = await this.ask({ method: 'POST', url: '/session', body: { key } });
    expect(answer.statusCode).toBe(201);
    return String(answer.headers['set-cookie']).split(';')[0]!;
  }
}
