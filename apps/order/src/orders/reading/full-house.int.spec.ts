/** One tenant waits with all its might, and everybody else is served as ever. */
import { useStack } from '@shop/testing';
import { eventually } from '@shop/testing';
import { type Answer, callers, expectProblem, OrderApp, startOwnBroker } from '../../../testing/order-app';
import { WAITING } from './seats';

const stack = useStack();
let app: OrderApp;
let stop: () => Promise<void>;

beforeAll(async () => {
  const broker = await startOwnBroker(stack);
  app = await OrderApp.start({ databaseUrl: stack.databaseUrl, natsUrl: broker.natsUrl });
  stop = () => broker.stop();
});
afterAll(() => stop());

it('R45 the waits of one tenant are bounded, and plain reads and the waits of others are not', async () => {
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

  // The stop answers those who wait, as it does always.
  await app.close();
  expect(new Set((await Promise.all(waits)).map(({ statusCode }: Answer) => statusCode))).toEqual(new Set([200]));
}, 60_000);
