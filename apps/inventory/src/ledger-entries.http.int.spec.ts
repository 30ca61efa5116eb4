/** What other services and the platform are told of commands by their ids. */
import { randomBytes, randomUUID } from 'node:crypto';
import { TestClient } from '@shop/http/testing';
import { type Answer, Idempotency } from '@shop/idempotency';
import { doorKeys, openService } from '@shop/service/testing';
import { useStack } from '@shop/testing';
import { inventoryService } from './app';

const stack = useStack();
const { service, platform, operator } = doorKeys.callers;
let client: TestClient;

beforeAll(async () => {
  const app = await openService(inventoryService, stack, { API_KEYS: doorKeys.API_KEYS }, { takesMessages: false });
  client = new TestClient(app, doorKeys.callers.root);
});
afterAll(() => client.close());

async function taken(id: string, answer: Answer, scope = 'inventory'): Promise<string> {
  await client.app.get(Idempotency).once({ scope, key: id, fingerprint: randomBytes(32) }, async () => answer);
  return id;
}

async function entriesOf(ids: string[], key: string): Promise<object[]> {
  const url = `/ledger-entries?ids=${encodeURIComponent(ids.join())}`;
  const answer = await client.call('GET', url, { key, headers: { 'shop-tenant': 'acme' } });
  expect(answer.statusCode).toBe(200);
  return answer.json<{ items: object[] }>().items;
}

it('R49 tells those that were taken, in their order, and not what was answered', async () => {
  const saga = randomUUID();
  const done = await taken(`${saga}/reserve/do`, { status: 200, body: '{"secret":1}' });
  const refused = await taken(`${saga}/reserve/undo/2`, { status: 409, body: '{}' });
  const ofARequest = await taken(`${saga}/confirm/do`, { status: 200, body: '{}' }, 'acme|olga|POST /x');
  const time = { createdAt: expect.any(String), completedAt: expect.any(String), expiresAt: expect.any(String) };
  for (const key of [service, platform]) {
    expect(await entriesOf([refused, done, ofARequest, 'never'], key)).toEqual([
      { id: done, state: 'completed', answerStatus: 200, ...time },
      { id: refused, state: 'completed', answerStatus: 409, ...time },
    ]);
  }
  expect(await entriesOf([done], operator)).toEqual([]);
});

it.each(['', 'a,,b', ' ', 'a'.repeat(256), Array<string>(41).fill('a').join()])(
  'refuses ids such as %j',
  async (ids) => {
    const url = `/ledger-entries?ids=${encodeURIComponent(ids)}`;
    const answer = await client.call('GET', url, { key: platform });
    expect([answer.statusCode, answer.json<{ code: string }>().code]).toEqual([400, 'validation_failed']);
  },
);
