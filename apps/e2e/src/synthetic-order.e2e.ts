/** The auditor, as a process of its own, against the whole system: it sees that all is well, and that it is not. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { freePort, type Guard, startGuard } from '@shop/stack';
import { ApiClient, catalogue, DEVELOPMENT_KEY, ServiceProcess } from '@shop/system';
import { eventually } from '@shop/testing';
import { Shop } from './shop';

const START_TIMEOUT_MS = 120_000;
const TIMEOUT_MS = 180_000;
const KEY = 'key-of-the-auditor';
const ALL_ROLES = 'customer+operator+admin+platform';
const API_KEYS = `${DEVELOPMENT_KEY}=demo/developer:${ALL_ROLES},${KEY}=synthetic/auditor:operator`;
const patiently = { timeoutMs: 60_000 };
const MAIN = join(__dirname, '..', '..', '..', 'dist', 'apps', 'auditor', 'main.js');

describe('R51 synthetic orders', () => {
  let shop: Shop;
  let guard: Guard;
  let auditor: ServiceProcess;
  let environment: Record<string, string>;
  let log = '';

  beforeAll(async () => {
    shop = await Shop.open(catalogue, { env: { API_KEYS } });
    guard = startGuard();
    const [port, managementPort] = [await freePort(), await freePort()];
    const { order, inventory, payment } = shop.system.urls;
    environment = {
      AUDITOR_PORT: String(port),
      MANAGEMENT_PORT: String(managementPort),
      AUDITOR_API_KEY: KEY,
      ORDER_URL: order,
      INVENTORY_URL: inventory,
      PAYMENT_URL: payment,
      AUDITOR_INTERVAL_SECONDS: '1',
      AUDITOR_TIMEOUT_SECONDS: '15',
      STOP_GRACE_MS: '0',
    };
    auditor = new ServiceProcess({
      name: 'auditor',
      url: `http://127.0.0.1:${port}`,
      managementUrl: `http://127.0.0.1:${managementPort}`,
      env: environment,
      guard,
      output: (text) => void (log += text),
    });
  }, START_TIMEOUT_MS);

  afterAll(async () => {
    await auditor?.stop();
    await guard?.close();
    await shop?.close();
  }, START_TIMEOUT_MS);

  const once = (env = environment) =>
    new Promise<number | null>((resolve) => {
      spawn(process.execPath, [MAIN, '--once'], { env: { PATH: process.env['PATH'], ...env }, stdio: 'ignore' }).on(
        'exit',
        resolve,
      );
    });
  const metric = async (name: string): Promise<number | undefined> => {
    const text = await (await fetch(`${auditor.managementUrl}/metrics`)).text();
    const line = text.split('\n').find((one) => one.startsWith(`${name} `) || one.startsWith(`${name}{`));
    return line === undefined ? undefined : Number(line.slice(line.lastIndexOf(' ')));
  };
  const own = (url: string) => new ApiClient(url, KEY);
  const orders = () => own(shop.system.urls.order).all<{ id: string; status: string; customerId: string }>('/orders');

  it(
    'R51 one order is placed, confirmed, cancelled and refunded, and the job ends well; nothing of it is seen by others',
    async () => {
      expect(await once()).toBe(0);
      expect(await orders()).toEqual([expect.objectContaining({ status: 'cancelled', customerId: 'synthetic' })]);
      const payments = await own(shop.system.urls.payment).all<{ captured: number; refunded: number }>('/payments');
      expect(payments).toEqual([expect.objectContaining({ captured: 100, refunded: 100 })]);
      expect(await shop.order.all('/orders')).toEqual([]);
    },
    TIMEOUT_MS,
  );

  it(
    'R51 the job fails with a key that nobody knows',
    async () => {
      expect(await once({ ...environment, AUDITOR_API_KEY: 'unknown' })).toBe(1);
    },
    TIMEOUT_MS,
  );

  it(
    'R51 tells when payment is away, and when it is back, and leaves no order open',
    async () => {
      await auditor.start();
      await eventually(async () => expect(await metric('synthetic_order_success')).toBe(1), patiently);
      expect(await metric('synthetic_order_duration_seconds')).toBeGreaterThan(0);
      expect(await metric('synthetic_order_last_run_timestamp_seconds')).toBeGreaterThan(1_700_000_000);

      await shop.system.services.payment.kill();
      await eventually(async () => expect(await metric('synthetic_order_success')).toBe(0), patiently);
      expect(await metric('synthetic_order_failures_total')).toBeGreaterThan(0);
      // The log is written a moment later.
      await eventually(() => expect(log).toContain('synthetic.order.failed'));
      expect(log).not.toContain(KEY);

      await shop.system.services.payment.start();
      await eventually(async () => expect(await metric('synthetic_order_success')).toBe(1), {
        timeoutMs: 120_000,
      });
      await auditor.stop();
      await eventually(
        async () => expect([...new Set((await orders()).map(({ status }) => status))]).toEqual(['cancelled']),
        patiently,
      );
      const stock = await own(shop.system.urls.inventory).get<{ onHand: number; reserved: number }>('/stock/synthetic');
      expect(stock.body).toMatchObject({ onHand: 1_000, reserved: 0 });
    },
    2 * TIMEOUT_MS,
  );
});
