/** A real Prometheus watches the system, started as `npm start` starts it, and its alerts fire when it is broken. */
import { ownServices, type ServiceName } from '@shop/system';
import { eventually } from '@shop/testing';
import { refuseRefund } from '../refused-refund';
import { type Order, Shop } from '../shop';
import { dashboards } from './dashboards';
import { exprsIn } from './panels';
import { type Prometheus, startPrometheus } from './prometheus';

const START_TIMEOUT_MS = 240_000;
const TIMEOUT_MS = 120_000;
const patience = { timeoutMs: 60_000, intervalMs: 250 };
/** Longer than the test needs. */
const PROVIDER_DELAY_MS = 25_000;
/** Each is a batch of its own, because they come one after the other. */
const ORDERS = 160;

/** What has not happened in this test: no alert, no 5xx, no conflict, and nobody places a synthetic order. */
const SHOWS_NOTHING_WHEN_WELL = /^ALERTS|status=~"5|"conflicted"|"replayed"|synthetic_order|"compensated"|saga_open/;

/** As Grafana fills in its variables. */
const filledIn = (expr: string): string =>
  expr.replaceAll('$__rate_interval', '1m').replaceAll('$saga', 'place-order').replaceAll('$job', 'payment');

describe('R50 Prometheus', () => {
  let shop: Shop;
  let prometheus: Prometheus;

  beforeAll(async () => {
    shop = await Shop.open([{ sku: 'cup', name: 'Cup', price: 1_200, onHand: 1_000 }]);
    const hostOf = (name: ServiceName) => new URL(shop.system.services[name].managementUrl).host;
    prometheus = await startPrometheus(Object.fromEntries(ownServices.map((name) => [name, hostOf(name)])));
  }, START_TIMEOUT_MS);
  afterAll(async () => {
    await prometheus?.stop();
    await shop?.close();
  });

  const place = async () => (await shop.place([{ sku: 'cup', quantity: 1 }])).body.id;
  const placeOf = async (id: string) => {
    const { body } = await shop.order.get<{ history: { to: string }[] }>(`/orders/${id}/saga`);
    return body.history.at(-1)?.to;
  };
  /** The labels of those of this name that fire. */
  const firing = async (name: string) =>
    (await prometheus.firing()).filter(({ labels }) => labels['alertname'] === name).map(({ labels }) => labels);
  const fires = (name: string, labels: Record<string, string>) =>
    eventually(async () => expect(await firing(name)).toEqual([expect.objectContaining(labels)]), patience);
  const isQuiet = (name: string) => eventually(async () => expect(await firing(name)).toEqual([]), patience);

  it(
    'R50 sees every service, and is quiet while all is well',
    async () => {
      const id = await place();
      expect((await shop.settled(id)).body.status).toBe('confirmed');
      const healthy = 'sum(up{job=~"order|inventory|payment|fulfilment"}) + sum(health_ready)';
      await eventually(async () => expect(await prometheus.query(healthy)).toEqual([8]), patience);
      const ended = 'sum(saga_ended_total{saga="place-order", status="completed"})';
      await eventually(async () => expect(await prometheus.query(ended)).toEqual([1]), patience);
      // Until Prometheus had asked each service once, it could not know that there is one.
      await eventually(async () => expect(await prometheus.firing()).toEqual([]), patience);
    },
    TIMEOUT_MS,
  );

  it(
    'R50 understands every panel of the dashboards, and has something to show in it',
    async () => {
      const shown = new Set(exprsIn(dashboards).map(filledIn));
      expect(shown.size).toBeGreaterThan(40);
      const empty = async () => {
        const found: string[] = [];
        for (const expr of shown) if ((await prometheus.query(expr)).length === 0) found.push(expr);
        return found.filter((expr) => !SHOWS_NOTHING_WHEN_WELL.test(expr));
      };
      await eventually(async () => expect(await empty()).toEqual([]), patience);
    },
    TIMEOUT_MS,
  );

  it(
    'R50 fires for a payment service that was killed, and for a saga that is parked meanwhile',
    async () => {
      await shop.system.services.payment.kill();
      await fires('ServiceDown', { job: 'payment', severity: 'page' });
      const id = await place();
      await eventually(async () => expect(await placeOf(id)).toBe('charge.do'), patience);
      await shop.order.send('DELETE', `/orders/${id}`);
      await eventually(async () => expect(await placeOf(id)).toBe('charge.undo'), patience);
      expect(await firing('SagaParked')).toEqual([]);
      await refuseRefund(shop, id);
      await fires('SagaParked', { saga: 'place-order', step: 'charge', action: 'undo', severity: 'ticket' });
      await shop.system.services.payment.start();
      await isQuiet('ServiceDown');
      // The command still waits in its mailbox. Its true reply moves the saga, parked or not.
      await isQuiet('SagaParked');
      const { body } = await shop.order.get<Order>(`/orders/${id}`, { prefer: 'wait=30' });
      expect(body.status).toBe('cancelled');
    },
    TIMEOUT_MS,
  );

  it(
    'R50 fires for a lag that grows, and names the mailbox',
    async () => {
      await shop.sandbox.put('/admin/faults', { delayMs: PROVIDER_DELAY_MS });
      for (let order = 0; order < ORDERS; order++) await place();
      await fires('ConsumerLagGrows', { mailbox: 'cmd.payment', severity: 'page' });
      await shop.sandbox.send('DELETE', '/admin/faults');
    },
    TIMEOUT_MS,
  );
});
