/**
 * Waits until the broker holds no command and no reply any more: nothing that was once sent can still have an effect. A
 * reply that takes the short way leaves before its command is acknowledged, so by then it is with its receiver, or gone.
 */
import { jetstreamManager, RetentionPolicy } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { eventually } from '@shop/testing';

export async function untilIdle(natsUrl: string, timeoutMs: number): Promise<void> {
  const nats = await connect({ servers: natsUrl });
  try {
    const manager = await jetstreamManager(nats);
    // A work queue lets go of a message when it is acknowledged; events stay for whoever wants to read them.
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
