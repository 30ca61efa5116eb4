/** Hints over a real NATS, including hints from replicas of other versions. */
import { Broker } from '@shop/messaging';
import { createLogger } from '@shop/observability';
import { eventually, useStack } from '@shop/testing';
import { OrderWatch } from './order-watch';

const stack = useStack();
const logger = createLogger({ service: 'order', level: 'silent', format: 'json' });
const failed = jest.spyOn(logger, 'error');
let [here, there]: Broker[] = [];

beforeAll(async () => {
  [here, there] = ['here', 'there'].map((service) => new Broker({ url: stack.natsUrl, service, logger }));
  await Promise.all([here!.connect(), there!.connect()]);
});
afterAll(() => Promise.all([here!.close(), there!.close()]));

describe('R46 a hint that another version or a stranger has sent', () => {
  it.each([
    'x',
    '5',
    'null',
    '{}',
    '[null]',
    '[{"key":7}]',
    '',
    '[{"of":"a newer version"},{"key":"acme/2","settled":false,"more":1}]',
    '['.repeat(100_000),
  ])('does not stop the next one: %j', async (bytes) => {
    const watch = new OrderWatch(here!);
    watch.onModuleInit();
    await here!.nats.flush();
    const { moved } = watch.watch('acme/1', 20_000);
    there!.nats.publish('note.order.moved', bytes);
    await there!.nats.flush();
    expect(watch.size).toBe(1);
    new OrderWatch(there!).announce([{ key: 'acme/1', settled: true }]);
    expect(await moved).toBe(true);
    // A stranger could fill the log.
    expect(failed).not.toHaveBeenCalled();
    // The connection still works for its other users.
    await eventually(() => here!.ping());
    watch.onModuleDestroy();
  });
});
