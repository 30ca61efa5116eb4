import { createInbox, type NatsConnection } from '@nats-io/transport-node';
import type { Logger } from '@shop/observability';
import { eventually, startTcpProxy, useStack } from '@shop/testing';
import { closeAll, closeLater, openBroker, openNats } from '../testing/test-service';

const stack = useStack();
let nats: NatsConnection;
beforeEach(async () => {
  nats = await openNats(stack.natsUrl);
});
afterEach(closeAll);

describe('a subscription', () => {
  it.each<[string, (text: string) => unknown]>([
    [
      'throws',
      (text) => {
        throw new Error(`no place for ${text}`);
      },
    ],
    ['rejects', (text) => Promise.reject(new Error(`no place for ${text}`))],
    ['cannot read the message', (text) => JSON.parse(text) as unknown],
  ])('R46 goes on when its callback %s, and the error is logged', async (_, fail) => {
    const logger = { error: jest.fn() };
    const broker = await openBroker(stack.natsUrl, logger as unknown as Logger);
    const subject = createInbox();
    const heard: string[] = [];
    broker.subscribe(subject, (message) => {
      heard.push(message.string());
      return message.string() === 'bad' ? fail('bad') : undefined;
    });
    await broker.ping();
    for (const text of ['bad', 'good']) {
      nats.publish(subject, text);
      await nats.flush();
    }
    await eventually(() => expect(heard).toEqual(['bad', 'good']));
    expect(logger.error).toHaveBeenCalledTimes(1);
    expect(logger.error).toHaveBeenCalledWith(
      { subject, reason: expect.stringContaining('bad') as string },
      'broker.callback.failed',
    );
    // The connection is still read.
    await broker.ping();
  });
});

describe('R44 a connection to the broker that has gone silent', () => {
  it('R44 is given up and made again, without anybody closing it', async () => {
    const url = new URL(stack.natsUrl);
    const proxy = await startTcpProxy(url.hostname, Number(url.port));
    closeLater(() => proxy.close());
    url.port = `${proxy.port}`;
    const broker = await openBroker(url.href);
    const returned = jest.fn();
    broker.onReconnect(returned);
    // The firewall has forgotten this connection. A new one goes through.
    proxy.stallOpen();
    await eventually(() => expect(returned).toHaveBeenCalled(), { timeoutMs: 20_000 });
    await broker.ping();
  }, 45_000);
});
