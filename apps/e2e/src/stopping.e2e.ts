import { randomUUID } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { ApiClient, catalogue, DEVELOPMENT_KEY, type ServiceProcess } from '@shop/system';
import { eventually } from '@shop/testing';
import { type Order, Shop } from './shop';

const TIMEOUT_MS = 120_000;
const GRACE_MS = 2_000;
const BODY = { customerId: 'ada', items: [{ sku: 'cup', quantity: 1 }], payment: { source: 'tok_ok' } };
const CLIENTS = 8;

/** One connection, on which a test writes what it likes. */
async function open(url: string) {
  const { hostname, port } = new URL(url);
  const socket: Socket = connect(Number(port), hostname);
  let text = '';
  socket.on('data', (part) => (text += part.toString()));
  await new Promise((resolve) => socket.once('connect', resolve));
  const ended = new Promise<string>((resolve) => socket.once('close', () => resolve(text)));
  return { write: (part: string) => socket.write(part), seen: () => text, ended };
}

function postText(key: string): string {
  const body = JSON.stringify(BODY);
  const head = [
    'POST /orders HTTP/1.1',
    'host: localhost',
    `authorization: Bearer ${DEVELOPMENT_KEY}`,
    `idempotency-key: ${key}`,
    'content-type: application/json',
    `content-length: ${body.length}`,
  ];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}

const statusesIn = (text: string) => [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status);

describe('a replica that is told to stop', () => {
  let shop: Shop;

  beforeAll(async () => {
    shop = await Shop.open(catalogue, { env: { STOP_GRACE_MS: `${GRACE_MS}` } });
  }, TIMEOUT_MS);
  afterAll(() => shop?.close(), TIMEOUT_MS);

  const isReady = async (replica: ServiceProcess) =>
    (await fetch(`${replica.url}/health/ready`).catch(() => undefined))?.status === 200;

  it(
    'R53 is not ready first, and no request of a client that follows its readiness fails',
    async () => {
      const leaving = await shop.system.addReplica('order');
      let routed = true;
      let stopped = false;
      const codes: (number | string)[] = [];
      const ids: string[] = [];
      // What a load balancer does: it asks for the readiness of the replica, and sends it requests meanwhile.
      const balancer = (async () => {
        while (!stopped && (routed = await isReady(leaving))) await new Promise((resolve) => setTimeout(resolve, 100));
      })();
      const clients = Array.from({ length: CLIENTS }, async (_, index) => {
        while (!stopped) {
          const client = new ApiClient(routed && index % 2 ? leaving.url : shop.system.urls.order, DEVELOPMENT_KEY);
          const answer = await client.post<Order>('/orders', BODY, randomUUID()).catch((error: Error) => error);
          codes.push(answer instanceof Error ? String(answer.cause) : answer.status);
          if (!(answer instanceof Error)) ids.push(answer.body.id);
        }
      });
      await eventually(() => expect(codes.length).toBeGreaterThan(CLIENTS));
      expect(await leaving.stop()).toBe(0);
      stopped = true;
      await Promise.all([...clients, balancer]);
      expect(routed).toBe(false);
      expect([...new Set(codes)]).toEqual([201]);
      for (const id of ids) expect((await shop.settled(id)).body.status).toBe('confirmed');
    },
    TIMEOUT_MS,
  );

  it(
    'R53 answers what was half sent, and what stands behind it on the same connection',
    async () => {
      const leaving = await shop.system.addReplica('order');
      const [text, behind] = [postText(randomUUID()), postText(randomUUID())];
      const [half, pipelined] = await Promise.all([open(leaving.url), open(leaving.url)]);
      half.write(text.slice(0, 40));
      pipelined.write(postText(randomUUID()) + behind.slice(0, 60));
      await eventually(() => expect(statusesIn(pipelined.seen())).toEqual(['201']));
      const stopping = leaving.stop();
      await eventually(async () => expect(await isReady(leaving)).toBe(false));
      half.write(text.slice(40));
      await eventually(() => expect(statusesIn(half.seen())).toEqual(['201']));
      // The listener is closed by now, and this connection is still waited for.
      await eventually(async () => expect(await fetch(leaving.url).catch(() => 'refused')).toBe('refused'));
      pipelined.write(behind.slice(60));
      expect(await stopping).toBe(0);
      expect(await half.ended).toMatch(/connection: close/i);
      expect(statusesIn(await pipelined.ended)).toEqual(['201', '201']);
    },
    TIMEOUT_MS,
  );
});
