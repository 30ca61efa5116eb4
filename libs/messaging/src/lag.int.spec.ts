import { eventually, useStack } from '@shop/testing';
import { register } from 'prom-client';
import { OutboxWorld } from '../testing/outbox-world';
import {
  closeAll,
  closeLater,
  migrateMessaging,
  newCommand,
  newMailbox,
  openBroker,
  silent,
  startService,
  succeed,
} from '../testing/test-service';
import { ConsumerLag } from './consumer-lag';
import { encodeBatch, subjectFrom } from './message';
import { OutboxLag } from './outbox-lag';
import { ensureConsumer } from './topology';

const stack = useStack({ migrate: migrateMessaging });
afterEach(closeAll);

async function valuesOf(metric: string, labels: Record<string, string> = {}): Promise<number[]> {
  const { values } = await register.getSingleMetric(metric)!.get();
  const fits = (one: (typeof values)[number]) => Object.entries(labels).every(([name, is]) => one.labels[name] === is);
  return values.filter(fits).map(({ value }) => value);
}

describe('R50 the lag of a consumer', () => {
  it('R50 is what the broker counts, and is told by readiness when it is large', async () => {
    const mailbox = newMailbox();
    const broker = await openBroker(stack.natsUrl);
    await ensureConsumer(await broker.manager(), mailbox);
    const send = (batches: number) => {
      for (let index = 0; index < batches; index++) {
        broker.nats.publish(subjectFrom(mailbox, 'test'), encodeBatch([newCommand()]));
      }
      return broker.nats.flush();
    };
    await send(3);
    const lag = new ConsumerLag(broker, () => [mailbox], silent);
    closeLater(() => lag.stop());
    lag.start();
    await eventually(async () => expect(await valuesOf('messaging_pending', { mailbox })).toEqual([3]));
    expect(await valuesOf('messaging_ack_pending', { mailbox })).toEqual([0]);
    expect(lag.trouble).toBeUndefined();
    await send(5_000);
    await eventually(() => expect(lag.trouble).toBe(`${mailbox}: 5003 batches wait`), { timeoutMs: 20_000 });
  });
});

describe('R50 the messages of a mailbox', () => {
  it('R50 are counted with what came of them', async () => {
    const mailbox = newMailbox();
    let fails = true;
    const handler = (deliveries: Parameters<typeof succeed>[0]) => {
      if (!fails) return succeed(deliveries);
      fails = false;
      throw new Error('not now');
    };
    await startService(mailbox, handler, stack);
    const broker = await openBroker(stack.natsUrl);
    broker.nats.publish(subjectFrom(mailbox, 'test'), encodeBatch([newCommand(), newCommand()]));
    const counted = (outcome: string) => valuesOf('messaging_messages_received_total', { mailbox, outcome });
    await eventually(async () => expect(await counted('answered')).toEqual([2]), { timeoutMs: 20_000 });
    expect(await counted('returned')).toEqual([2]);
  });
});

describe('R50 the lag of an outbox', () => {
  it('R50 is what no relay has published, and since when it waits', async () => {
    const world = await OutboxWorld.open();
    closeLater(() => world.close());
    const lag = new OutboxLag(world.database, silent);
    closeLater(() => lag.stop());
    await world.commit('a/1', 'a/2');
    await world.commit('b/1');
    await world.query(
      `update outbox set event = jsonb_set(event::jsonb, '{time}', to_jsonb(now() - interval '1 hour'))::json
       where event ->> 'id' = 'a/1'`,
    );
    lag.start();
    await eventually(async () => expect(await valuesOf('outbox_waiting_events')).toEqual([3]));
    expect((await valuesOf('outbox_oldest_waiting_seconds'))[0]).toBeGreaterThanOrEqual(3_600);
    await world.query(
      `update outbox_relay set (xid, position) = (select xid, position from outbox order by 1 desc, 2 desc limit 1)`,
    );
    await eventually(async () => expect(await valuesOf('outbox_waiting_events')).toEqual([0]), { timeoutMs: 20_000 });
    expect(await valuesOf('outbox_oldest_waiting_seconds')).toEqual([0]);
  });
});
