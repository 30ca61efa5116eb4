/** The shop as pages in a real browser see it: a page of an origin that may ask, and one of an origin that may not. */
import { randomUUID } from 'node:crypto';
import { DEVELOPMENT_KEY } from '@shop/system';
import type { Browser, Page } from 'playwright-core';
import { findChromium, openBrowser, openPage, type Origin, startOrigin } from './browser';
import { Shop } from './shop';

const START_TIMEOUT_MS = 90_000;
const BUSY_KEY = 'busy-key';
const LIMIT = 200;

const path = findChromium();
if (!path && process.env['CI']) throw new Error('CI has no Chromium; install it, or say in CHROMIUM where it is');
if (!path)
  process.stderr.write('The tests with a browser are skipped: no Chromium is found; CHROMIUM may say where it is.\n');
const withBrowser = path ? describe : describe.skip;

interface Heard {
  status: number;
  body: string;
  headers: Record<string, string>;
}

/** What a script hears that asks the shop: the answer as far as the browser lets it, or nothing but a failure. */
function ask(page: Page, url: string, init: { method?: string; headers?: Record<string, string>; body?: string } = {}) {
  return page.evaluate(
    async ({ url, init }): Promise<Heard | 'failed'> => {
      try {
        const answer = await fetch(url, init);
        const { status, headers } = answer;
        return { status, body: await answer.text(), headers: Object.fromEntries(headers) };
      } catch {
        return 'failed';
      }
    },
    { url, init },
  );
}

withBrowser('R54 a browser', () => {
  let browser: Browser;
  let shop: Shop;
  let ours: Origin;
  let theirs: Origin;
  let url: string;

  beforeAll(async () => {
    [ours, theirs] = await Promise.all([startOrigin(), startOrigin()]);
    const keys = `${DEVELOPMENT_KEY}=demo/developer:customer+operator+platform,${BUSY_KEY}=demo/busy:customer`;
    const env = { CORS_ORIGINS: ours.url, RATE_LIMIT_PRINCIPAL: `${LIMIT}`, API_KEYS: keys };
    const product = { sku: 'cup', name: 'Espresso cup', price: 1_200, onHand: 10 };
    [browser, shop] = await Promise.all([openBrowser(path!), Shop.open([product], { env })]);
    url = shop.system.urls.order;
  }, START_TIMEOUT_MS);
  afterAll(async () => {
    await browser?.close();
    await shop?.close();
    [ours, theirs].forEach((origin) => origin?.close());
  });

  const headers = { authorization: `Bearer ${DEVELOPMENT_KEY}`, 'content-type': 'application/json' };
  const body = JSON.stringify({
    customerId: 'alice',
    items: [{ sku: 'cup', quantity: 1 }],
    payment: { source: 'tok_ok' },
  });
  const placing = () => ({ method: 'POST', headers: { ...headers, 'idempotency-key': randomUUID() }, body });
  const heard = (answer: Heard | 'failed'): Heard =>
    answer === 'failed' ? { status: 0, body: '', headers: {} } : answer;
  const pageOf = async (origin: Origin) => (await openPage(browser, origin.url)).page;

  it('R54 lets a page of the list place an order, repeat it, wait for it and listen to it', async () => {
    const page = await pageOf(ours);
    const request = placing();
    const first = heard(await ask(page, `${url}/orders`, request));
    expect(first).toMatchObject({
      status: 201,
      headers: { location: expect.stringMatching(/^\/orders\//), etag: '"1"', ratelimit: expect.anything() },
    });
    const again = heard(await ask(page, `${url}/orders`, request));
    expect(again).toMatchObject({ body: first.body, headers: { 'idempotent-replayed': 'true' } });

    const order = url + first.headers['location']!;
    const waited = heard(await ask(page, order, { headers: { ...headers, prefer: 'wait=30' } }));
    expect(JSON.parse(waited.body)).toMatchObject({ status: 'confirmed' });
    expect(waited.headers['preference-applied']).toBe('wait=30');
    const known = { ...headers, 'if-none-match': waited.headers['etag']! };
    expect(heard(await ask(page, order, { headers: known })).status).toBe(304);

    const story = heard(await ask(page, `${order}/events`, { headers }));
    expect(story.headers['content-type']).toBe('text/event-stream');
    expect(story.body.match(/^event: transition$/gm)!.length).toBeGreaterThan(2);
    const lastEventId = [...story.body.matchAll(/^id: (.*)$/gm)].at(-1)![1]!;
    const seen = await ask(page, `${order}/events`, { headers: { ...headers, 'last-event-id': lastEventId } });
    expect(heard(seen).status).toBe(204);
  });

  it('R54 lets it read why it is refused, and when it may come again', async () => {
    const page = await pageOf(ours);
    const codeOf = (answer: Heard | 'failed') => {
      const { status, body } = heard(answer);
      return [status, (JSON.parse(body || '{}') as { code?: string }).code];
    };
    expect(codeOf(await ask(page, `${url}/orders`))).toEqual([401, 'unauthenticated']);
    expect(codeOf(await ask(page, `${url}/nowhere`, { headers }))).toEqual([404, 'not_found']);
    const large = { ...placing(), body: 'x'.repeat(70_000) };
    expect(codeOf(await ask(page, `${url}/orders`, large))).toEqual([413, 'body_too_large']);
    const busy = { authorization: `Bearer ${BUSY_KEY}` };
    for (let n = 0; n < LIMIT; n++) await ask(page, `${url}/orders?limit=1`, { headers: busy });
    const refused = await ask(page, `${url}/orders`, { headers: busy });
    expect(codeOf(refused)).toEqual([429, 'rate_limited']);
    expect(heard(refused).headers['retry-after']).toMatch(/^\d+$/);
  });

  it('R54 lets a page of another origin read nothing, and place nothing', async () => {
    const page = await pageOf(theirs);
    const before = await shop.order.get<{ items: unknown[] }>('/orders');
    const id = (before.body.items as { id: string }[])[0]!.id;
    for (const path of ['/health/live', '/openapi.json', '/nowhere', `/orders/${id}`, `/orders/${id}/events`]) {
      expect([path, await ask(page, url + path, { headers })]).toEqual([path, 'failed']);
      expect([path, await ask(page, url + path)]).toEqual([path, 'failed']);
    }
    expect(await ask(page, `${url}/orders`, placing())).toBe('failed');
    expect((await shop.order.get<{ items: unknown[] }>('/orders')).body.items).toHaveLength(before.body.items.length);
  });

  it('R54 shows the page of the API, which keeps to its policy, and in no frame', async () => {
    const { page, violations } = await openPage(browser, `${url}/docs`);
    await page.locator('.opblock-summary').first().click();
    await page.locator('.opblock-body').first().waitFor();
    expect(await page.title()).toBe('Order service');
    expect(violations).toEqual([]);

    const outer = await pageOf(theirs);
    await outer.setContent(`<iframe src="${url}/docs"></iframe>`);
    await outer.waitForLoadState('networkidle');
    expect(outer.frames().map((frame) => frame.url())).toContain('chrome-error://chromewebdata/');
  });
});
