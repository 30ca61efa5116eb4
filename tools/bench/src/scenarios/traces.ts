/** The product with traces, one order of ten recorded, compared with the product without. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { reportOf } from '../comparison';
import { inTurn } from '../load';
import { type Burst, measureBurst } from '../measure';
import type { Scenario } from '../scenario';
import { Shop } from '../shop';
import { perSecond } from '../table';

const GOAL = 0.95;
const SAMPLED = '0.1';

export const traces: Scenario = async (options, say) => {
  const { orders, concurrency, rounds, provider } = options;
  const collector = await openCollector();
  const endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
  const shops: Shop[] = [];
  try {
    const open = async (env: Record<string, string>): Promise<Shop> => {
      const shop = await Shop.open({ options, connections: concurrency, say, env });
      shops.push(shop);
      say('  warming up');
      await shop.warmUp();
      return shop;
    };
    const off = await open({});
    const on = await open({
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
      OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
      OTEL_TRACES_SAMPLER_ARG: SAMPLED,
    });
    const bursts: Record<'off' | 'on', Burst[]> = { off: [], on: [] };
    for (const kind of inTurn('off' as const, 'on' as const, rounds)) {
      const shop = { off, on }[kind];
      const burst = await measureBurst(shop, shop.postings(orders), concurrency);
      say(`  traces ${kind}: ${perSecond(burst.ordersPerSecond)}`);
      bursts[kind].push(burst);
    }
    return reportOf({
      names: ['off', 'on'],
      bursts: [bursts.off, bursts.on],
      goal: GOAL,
      provider,
      faults: [...(await off.audit()), ...(await on.audit())],
    });
  } finally {
    await Promise.all(shops.map((shop) => shop.close()));
    collector.close();
    collector.closeAllConnections();
  }
};

/** Takes all spans and keeps none: a real one would be on another machine. */
async function openCollector(): Promise<Server> {
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end('{}'));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}
