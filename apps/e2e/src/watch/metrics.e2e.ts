/** docs/metrics.md lists what the services serve: every metric, with its type, its labels and its meaning. */
import { eventually } from '@shop/testing';
import { serviceNames, type ServiceName } from '@shop/system';
import { Shop } from '../shop';
import { documentedMetrics, parseMetrics, rowOf } from './metrics-text';

const START_TIMEOUT_MS = 240_000;
/** Prometheus would take them too, but they have no unit that it knows. */
const UNITS = /_(seconds|bytes|total|ratio)$/;

describe('R50 the metrics', () => {
  let shop: Shop;
  const served = new Map<ServiceName, ReturnType<typeof parseMetrics>>();

  beforeAll(async () => {
    shop = await Shop.open([{ sku: 'cup', name: 'Cup', price: 1_200, onHand: 10 }]);
    for (const source of ['tok_ok', 'tok_declined']) {
      const { body } = await shop.place([{ sku: 'cup', quantity: 1 }], source);
      await shop.settled(body.id);
    }
    const read = async (name: ServiceName) => {
      const answer = await fetch(`${shop.system.services[name].managementUrl}/metrics`);
      served.set(name, parseMetrics(await answer.text()));
    };
    await eventually(
      async () => {
        for (const name of serviceNames) await read(name);
        const { samples } = served.get('order')!.get('postgres_table_rows')!;
        expect(samples).toBeGreaterThan(0);
      },
      { timeoutMs: 20_000 },
    );
  }, START_TIMEOUT_MS);
  afterAll(() => shop?.close());

  const names = () => [...new Set([...served.values()].flatMap((metrics) => [...metrics.keys()]))].sort();
  const whoServes = (name: string): string => {
    const who = serviceNames.filter((service) => served.get(service)!.has(name)).sort();
    if (who.length === serviceNames.length) return 'all';
    return who.length === serviceNames.length - 1 && !who.includes('sandbox') ? 'all but sandbox' : who.join(', ');
  };
  const servedMetric = (name: string) => {
    const all = [...served.values()].flatMap((metrics) => metrics.get(name) ?? []);
    const labels = [...new Set(all.flatMap((metric) => metric.labels))].sort();
    const samples = all.reduce((sum, metric) => sum + metric.samples, 0);
    return { ...all[0]!, labels, samples, servedBy: whoServes(name) };
  };

  it('R50 that the services serve are all in docs/metrics.md', () => {
    const documented = new Set(documentedMetrics().map(({ name }) => name));
    const missing = names().filter((name) => !documented.has(name));
    // The rows as they would be written; a label that had no sample has to be added by hand.
    expect(missing.map((name) => rowOf(servedMetric(name))).join('\n')).toBe('');
  });

  it('R50 of docs/metrics.md are all served, by those that it says, with this type and meaning', () => {
    const rows = documentedMetrics().filter(({ servedBy }) => servedBy !== 'auditor' && servedBy !== 'console');
    expect(rows.length).toBeGreaterThan(50);
    const different = rows.flatMap((row) => {
      if (!names().includes(row.name)) return `${row.name} is served by nobody`;
      const is = servedMetric(row.name);
      // Without a sample, nobody can see the labels.
      const labels = is.samples > 0 && is.labels.length > 0 ? is.labels : row.labels;
      const expected = rowOf({ ...is, labels });
      return expected === rowOf(row) ? [] : `is ${expected}`;
    });
    expect(different.join('\n')).toBe('');
  });

  it('R50 have names and units as Prometheus wants them', () => {
    const own = names().filter((name) => !/^(nodejs|process)_/.test(name));
    const metrics = own.map(servedMetric);
    const odd = metrics.filter(({ name, type }) => {
      if (!/^[a-z][a-z0-9_]*$/.test(name)) return true;
      if (type === 'counter') return !name.endsWith('_total');
      return name.endsWith('_total') || /_(ms|millis|milliseconds|kb|mb|percent|count)$/.test(name);
    });
    expect(odd.map(({ name }) => name)).toEqual([]);
    expect(metrics.filter(({ name, help }) => UNITS.test(name) && help === '')).toEqual([]);
  });

  it('R50 have no label whose values are those of one order, tenant, customer or message', () => {
    const forbidden = /^(tenant|id|order|order_id|saga_id|customer|customer_id|message_id|key|sku|url|path)$/;
    const labels = names().flatMap((name) => servedMetric(name).labels.map((label) => `${name} ${label}`));
    expect(labels.filter((one) => forbidden.test(one.split(' ')[1]!))).toEqual([]);
  });
});
