/** One tenant waits with all its might, and everybody else is served as ever. */
import { eventually, useStack } from '@shop/testing';
import { type Answer, callers, expectProblem, OrderApp, startOwnBroker } from '../../../testing/order-app';
import { LISTENING, WAITING } from './order-watch';

const stack = useStack();
let app: OrderApp;
let stop: () => Promise<void>;

beforeAll(async () => {
  const broker = await startOwnBroker(stack);
  app = await OrderApp.start({ databaseUrl: stack.databaseUrl, natsUrl: broker.natsUrl });
  stop = () => broker.stop();
});
afterAll(() => stop());

it('R45 the waits and the streams of one tenant are bounded, and plain reads and other tenants are not', async () => {
  await app.putProduct('cup', 1_200);
  await app.putProduct('cup', 1_200, { key: callers.rival });
  const mine = (await app.place()).headers.location!;
  const theirs = (await app.place(undefined, { key: callers.rival })).headers.location!;
  const prefer = { prefer: 'wait=30' };
  const waits = Array.from({ length: WAITING.perTenant }, () => app.get(mine, { headers: prefer }));
  await eventually(() => expect(app.watchers).toBe(WAITING.perTenant));

  const refused = await app.get(mine, { headers: prefer });
  expectProblem(refused, 429, 'too_many_waiting');
  expect(refused.headers['retry-after']).toBe('1');
  expect((await app.get(mine)).statusCode).toBe(200);
  expect((await app.get(theirs, { key: callers.rival })).statusCode).toBe(200);
  expect((await app.get(theirs, { key: callers.rival, headers: { prefer: 'wait=1' } })).statusCode).toBe(200);

  const address = await app.listen();
  const listen = (key: string, url: string) =>
    fetch(`${address}${url}/events`, { headers: { authorization: `Bearer ${key}` } });
  const streams = await Promise.all(Array.from({ length: LISTENING.perTenant }, () => listen(callers.alice, mine)));
  expect(new Set(streams.map(({ status }) => status))).toEqual(new Set([200]));
  expect((await listen(callers.alice, mine)).status).toBe(429);
  const other = await listen(callers.rival, theirs);
  expect(other.status).toBe(200);
  await Promise.all([...streams, other].map(({ body }) => body!.cancel()));
  await eventually(async () => {
    const again = await listen(callers.alice, mine);
    await again.body!.cancel();
    expect(again.status).toBe(200);
  });

  // The stop answers those who wait, as it does always.
  await app.close();
  expect(new Set((await Promise.all(waits)).map(({ statusCode }: Answer) => statusCode))).toEqual(new Set([200]));
}, 60_000);
