/** Questions for work that needs the answer; `neighbours.spec.ts` of the order service has those for screens. */
import { createLogger } from '@shop/observability';
import { RetryableError } from '@shop/resilience';
import { IsInt } from 'class-validator';
import { answersWith, bad, FakeNeighbour } from '../../testing/fake-neighbour';
import { Neighbour } from './neighbour';

const logger = createLogger({ service: 'test', level: 'silent', format: 'json' });

class Thing {
  @IsInt() size: number;
}

let fake: FakeNeighbour;
beforeEach(async () => (fake = await FakeNeighbour.open()));
afterEach(() => fake.close());

const open = (options: { url?: string; maxTries?: number } = {}) =>
  new Neighbour({ name: 'order', url: fake.url, key: 'k', deadlineMs: 5_000, totalMs: 20_000, logger, ...options });
const question = { tenant: 'acme', path: '/things/1', type: Thing, fits: () => true, absent: 'thing_not_found' };

describe('a question to a neighbour', () => {
  it('is asked again after a failure, where the work may take its time', async () => {
    const ways = [bad['answers 503']!, bad['cuts the connection']!, answersWith(200, { size: 3 })];
    fake.way = (...call) => ways[fake.heard.length - 1]!(...call);
    expect(await open({ maxTries: 3 }).read(question)).toEqual({ size: 3 });
    expect(fake.heard).toHaveLength(3);
  });

  it('is undefined when there is no such thing, and fails for now when the answer cannot be used', async () => {
    fake.way = answersWith(404, { code: 'thing_not_found' });
    expect(await open().read(question)).toBeUndefined();
    for (const way of [
      'does not know the key',
      'is somebody else, who knows no such address',
      'answers another form',
    ]) {
      fake.way = bad[way]!;
      await expect(open().read(question)).rejects.toThrow(RetryableError);
    }
    await expect(open({ url: undefined }).read(question)).rejects.toThrow('order is away');
  });
});
