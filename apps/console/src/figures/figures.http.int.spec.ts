/** The figures of a process that the test plays: what it counts, and that it dies and comes back. */
import { eventually } from '@shop/testing';
import { ConsoleApp } from '../../testing/console-app';
import { type FakeService, PLATFORM, startFakeService } from '../../testing/fake-services';
import type { Overview, Point } from './overview';

const PATIENCE = { timeoutMs: 20_000 };
let order: FakeService;
let here: ConsoleApp;
let started = 0;
let cookie: string;

beforeAll(async () => {
  order = await startFakeService();
  order.answers['GET /metrics'] = (response) => {
    started += 10;
    response.end(
      [
        `saga_transitions_total{saga="place-order",event="started",to="reserve.do"} ${started}`,
        `saga_ended_total{saga="place-order",status="compensated",reason="out_of_stock"} ${started}`,
        `http_request_duration_seconds_count{route="/orders",status="500"} ${started}`,
        `http_request_duration_seconds_count{route="/health/ready",status="503"} ${started * 100}`,
        'saga_open{saga="place-order",step="charge",action="do",status="running"} 4',
        'saga_open{saga="place-order",step="charge",action="undo",status="parked"} 3',
        'saga_parked 3',
        'dead_letters_open{mailbox="cmd.order"} 2',
        'nobody_asks_for_this 1',
      ].join('\n'),
    );
  };
  order.answers['GET /health/ready'] = (response) => {
    response.writeHead(503).end(JSON.stringify({ status: 'unavailable', checks: { database: 'does not answer' } }));
  };
  here = await ConsoleApp.start({ metrics: [{ service: 'order', url: order.url }] });
  cookie = await here.signIn(PLATFORM);
});
afterAll(async () => {
  await here.close();
  order.close();
});

const figures = async () =>
  (await here.ask({ url: '/figures', cookie })).json<{ overview: Overview; points: Point[] }>();

describe('R49 the figures', () => {
  it('tell how often things happen, and what is wrong with a process', async () => {
    await eventually(async () => {
      const { overview, points } = await figures();
      expect(points.at(-1)!.orders).toBeGreaterThan(0);
      // Each has grown as much as the other, and whoever asks whether it is ready is not counted.
      expect(points.at(-1)).toMatchObject({ requests: points.at(-1)!.orders, errors: points.at(-1)!.orders });
      expect(overview).toMatchObject({
        watched: true,
        point: { parked: 3, inFlight: 4 },
        services: [{ service: 'order', up: true, ready: false, checks: { database: 'does not answer' } }],
        deadLetters: [{ service: 'order', mailbox: 'cmd.order', count: 2 }],
        endings: [{ saga: 'place-order', status: 'compensated', reason: 'out_of_stock' }],
      });
    }, PATIENCE);
  });

  it('say that a process is away, and that nobody knows what it would say', async () => {
    order.close();
    await eventually(async () => {
      const { overview, points } = await figures();
      expect(overview.services).toEqual([{ service: 'order', up: false, ready: false, checks: {} }]);
      expect(points.at(-1)).toMatchObject({ parked: null, inFlight: null });
    }, PATIENCE);
  });
});
