/**
 * A broker that delivers everything twice: each command and reply is published once more, unchanged, on the short way
 * too. A copy has no reply subject, so nobody learns whether it has arrived. While this listens, the broker believes that
 * every replica listens.
 */
import { connect, headers, type NatsConnection } from '@nats-io/transport-node';
import { natsLogin } from '@shop/stack';

const COPY = 'x-copy';

export async function doubleMessages(natsUrl: string): Promise<{ copies: () => number; stop: () => Promise<void> }> {
  const nats: NatsConnection = await connect(natsLogin(natsUrl));
  let copies = 0;
  for (const subject of ['cmd.>', 'reply.>', 'direct.>']) {
    nats.subscribe(subject, {
      callback: (error, message) => {
        if (error || message.headers?.has(COPY)) return;
        const marked = headers();
        marked.set(COPY, '1');
        copies++;
        nats.publish(message.subject, message.data, { headers: marked });
      },
    });
  }
  await nats.flush();
  return { copies: () => copies, stop: () => nats.close() };
}
