/** Waits until the broker holds no message any more: nothing that was once sent can still have an effect. */
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { eventually } from '@shop/testing';

export async function untilIdle(natsUrl: string, timeoutMs: number): Promise<void> {
  const nats = await connect({ servers: natsUrl });
  try {
    const manager = await jetstreamManager(nats);
    // A work queue lets go of a message when it is acknowledged.
    await eventually(
      async () => {
        const streams = await manager.streams.list().next();
        expect(streams.map(({ state }) => state.messages)).toEqual(streams.map(() => 0));
      },
      { timeoutMs, intervalMs: 100 },
    );
  } finally {
    await nats.close();
  }
}
