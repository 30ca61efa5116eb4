/**
 * Waits until the broker holds no command and no reply any more, so that no message can still have an effect. A reply on
 * the short way leaves before its command is acknowledged, so by then its receiver has it, or it is lost.
 */
import { jetstreamManager, RetentionPolicy } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { natsLogin } from '@shop/stack';
import { eventually } from '@shop/testing';

export async function untilIdle(natsUrl: string, timeoutMs: number): Promise<void> {
  const nats = await connect(natsLogin(natsUrl));
  try {
    const manager = await jetstreamManager(nats);
    // A work queue deletes a message when it is acknowledged; events stay for every listener.
    await eventually(
      async () => {
        const streams = await manager.streams.list().next();
        const queues = streams.filter(({ config }) => config.retention === RetentionPolicy.Workqueue);
        expect(queues.map(({ state }) => state.messages)).toEqual(queues.map(() => 0));
      },
      { timeoutMs, intervalMs: 100 },
    );
  } finally {
    await nats.close();
  }
}
