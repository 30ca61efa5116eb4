/** The page of the bank in a real browser, which has to be let go on to the page of the shop. */
import type { Browser } from 'playwright-core';
import { findChromium, openBrowser, openPage, type Origin, startOrigin } from './browser';
import { Shop } from './shop';

interface Intent {
  id: string;
  status: string;
  next_action: { redirect_to_url: { url: string } } | null;
}

const START_TIMEOUT_MS = 90_000;
// `browser.e2e.ts` says so, or fails in CI, when there is none.
const path = findChromium();

(path ? describe : describe.skip)('the page of the bank', () => {
  let browser: Browser;
  let shop: Shop;
  let origin: Origin;

  beforeAll(async () => {
    [browser, shop, origin] = await Promise.all([openBrowser(path!), Shop.open([]), startOrigin()]);
  }, START_TIMEOUT_MS);
  afterAll(async () => {
    await browser?.close();
    await shop?.close();
    origin?.close();
  });

  it.each([
    ['Approve', 'succeeded', 'succeeded'],
    ['Decline', 'failed', 'requires_payment_method'],
  ])('takes %s, and the browser goes back to the shop', async (button, redirectStatus, status) => {
    const { id } = await post('/v1/payment_intents', { amount: '4200', currency: 'usd' });
    const back = `${origin.url}/back`;
    const confirmation = { payment_method: 'tok_3ds', return_url: back };
    const waiting = await post(`/v1/payment_intents/${id}/confirm`, confirmation);
    const { page, violations } = await openPage(browser, waiting.next_action!.redirect_to_url.url);
    expect(await page.textContent('main')).toContain('42.00 USD');
    await page.getByRole('button', { name: button }).click();
    await page.waitForURL(`${back}?payment_intent=${id}&redirect_status=${redirectStatus}`);
    expect(violations).toEqual([]);
    expect((await shop.sandbox.get<Intent>(`/v1/payment_intents/${id}`)).body.status).toBe(status);
  });

  async function post(route: string, form: Record<string, string>): Promise<Intent> {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const body = new URLSearchParams(form).toString();
    return (await shop.sandbox.send<Intent>('POST', route, { headers, body })).body;
  }
});
