/** The system with its console, a browser that is signed in, and sagas of every kind to look at. */
import { DEVELOPMENT_KEY, type SystemOptions } from '@shop/system';
import { eventually } from '@shop/testing';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { findChromium, openBrowser } from './browser';
import { publishAs } from './publish-as';
import { refuseRefund, refuseRefundOfCancellation } from './refused-refund';
import { Shop } from './shop';

const PATIENCE = { timeoutMs: 60_000 };
/** Of the browser: services start again meanwhile, and the machine may have more to do. */
const SLOWLY_MS = 60_000;
const PRODUCTS = [
  { sku: 'cup', name: 'Espresso cup', price: 1_200, onHand: 1_000 },
  { sku: 'beans', name: 'Beans', price: 900, onHand: 1_000 },
  { sku: 'unicorn', name: 'Unicorn', price: 9_900, onHand: 0 },
];

export interface Visit {
  page: Page;
  /** What the policies of the page have kept it from doing, and errors of its scripts. */
  faults: string[];
  /** Addresses that are not of the console. */
  strangers: string[];
}

export class ConsoleStage {
  private constructor(
    readonly shop: Shop,
    readonly browser: Browser,
  ) {}

  static async open(options: Partial<SystemOptions> = {}): Promise<ConsoleStage> {
    // A browser that nobody closes keeps the tests from ending, so the system, which may fail, comes first.
    const shop = await Shop.open(PRODUCTS, { console: true, ...options });
    return new ConsoleStage(shop, await openBrowser(findChromium()!));
  }

  async close(): Promise<void> {
    await this.browser?.close();
    await this.shop?.close();
  }

  get url(): string {
    return this.shop.system.console!.url;
  }

  /** A page in a browser of its own, signed in. */
  async visit(hash = '#/', options: BrowserContextOptions = {}): Promise<Visit> {
    const visit = await this.look('#/', options);
    await visit.page.getByLabel('API key').fill(DEVELOPMENT_KEY);
    await visit.page.getByRole('button', { name: 'Sign in' }).click();
    await visit.page.getByRole('heading', { name: 'Overview' }).waitFor();
    await this.go(visit.page, hash);
    return visit;
  }

  /** A page in a browser of its own that nobody has signed in. */
  async look(hash = '#/', options: BrowserContextOptions = {}): Promise<Visit> {
    const context = await this.browser.newContext({ viewport: { width: 1_280, height: 800 }, ...options });
    context.setDefaultTimeout(SLOWLY_MS);
    const page = await context.newPage();
    const [faults, strangers]: [string[], string[]] = [[], []];
    await page.exposeFunction('noteViolation', (what: string) => void faults.push(what));
    await page.addInitScript(
      `addEventListener('securitypolicyviolation', (e) => noteViolation(e.violatedDirective + ' ' + e.blockedURI), true)`,
    );
    page.on('pageerror', (error) => faults.push(String(error)));
    page.on('request', (request) => void (request.url().startsWith(this.url) || strangers.push(request.url())));
    await page.goto(`${this.url}/${hash}`, { waitUntil: 'domcontentloaded' });
    return { page, faults, strangers };
  }

  go(page: Page, hash: string): Promise<unknown> {
    return page.evaluate(`location.hash = ${JSON.stringify(hash)}`);
  }

  async placed(sku = 'cup', source = 'tok_ok'): Promise<string> {
    return (await this.shop.place([{ sku, quantity: 1 }], source)).body.id;
  }

  /** The saga of the first order that is held: a replica hears of a hold within a second. */
  async placedUntilHeld(): Promise<string> {
    let found: string | undefined;
    await eventually(async () => {
      await this.placed();
      const { body } = await this.shop.order.get<{ items: { id: string; held: object | null }[] }>('/sagas?limit=50');
      found = body.items.find(({ held }) => held !== null)?.id;
      expect(found).toBeDefined();
    }, PATIENCE);
    return found!;
  }

  async ended(sku?: string, source?: string): Promise<string> {
    const id = await this.placed(sku, source);
    await this.shop.settled(id);
    return id;
  }

  async sagaOf(id: string): Promise<{ status: string; history: { to: string; event: string }[] }> {
    return (await this.shop.order.get<{ status: string; history: { to: string; event: string }[] }>(`/sagas/${id}`))
      .body;
  }

  untilAt(id: string, place: string): Promise<void> {
    return eventually(async () => expect((await this.sagaOf(id)).history.at(-1)!.to).toBe(place), PATIENCE);
  }

  async killPayment(): Promise<void> {
    await this.shop.system.services.payment.kill();
  }

  /** If it is down. */
  async startPayment(): Promise<void> {
    const { payment } = this.shop.system.services;
    if (payment.pid === undefined) await payment.start();
  }

  /** Orders whose refund the payment service refuses for good. The payment service must be down, and stays down. */
  async park(count: number): Promise<string[]> {
    const ids = await Promise.all(Array.from({ length: count }, () => this.placed()));
    for (const id of ids) await this.untilAt(id, 'charge.do');
    await Promise.all(ids.map((id) => this.shop.order.send('DELETE', `/orders/${id}`)));
    for (const id of ids) await this.untilAt(id, 'charge.undo');
    await refuseRefund(this.shop, ...ids);
    for (const id of ids) {
      await eventually(async () => expect((await this.sagaOf(id)).status).toBe('parked'), PATIENCE);
    }
    return ids;
  }

  /** Payment gets so many messages that nobody can read, all for the same reason. */
  async loseMessages(count: number): Promise<void> {
    for (let n = 1; n <= count; n++) await publishAs(this.shop, 'order', 'cmd.payment.from.order', `no batch ${n}`);
    const groups = () => this.shop.payment.get<{ groups: { count: number }[] }>('/dead-letters/groups');
    await eventually(async () => {
      const { body } = await groups();
      expect(body.groups).toContainEqual(expect.objectContaining({ count }));
    }, PATIENCE);
  }

  /** A saga that cancels a confirmed order, whose refund payment refuses for good. Payment must be up, and is down then. */
  async parkCancellation(): Promise<string> {
    const orderId = await this.ended();
    await this.killPayment();
    await this.shop.order.send('DELETE', `/orders/${orderId}`);
    const { body } = await this.shop.order.get<{ cancelledBy: { id: string } }>(`/orders/${orderId}/saga`);
    const { id } = body.cancelledBy;
    await this.untilAt(id, 'refund.do');
    await refuseRefundOfCancellation(this.shop, id);
    await eventually(async () => expect((await this.sagaOf(id)).status).toBe('parked'), PATIENCE);
    return id;
  }

  /** Payment gets a message that nobody can read, which becomes a dead letter. */
  async loseMessage(): Promise<void> {
    await publishAs(this.shop, 'order', 'cmd.payment.from.order', 'not readable');
    const letters = () => this.shop.payment.get<{ items: object[] }>('/dead-letters?state=open');
    await eventually(async () => expect((await letters()).body.items).not.toEqual([]), PATIENCE);
  }
}
