/** The bus as a service of the shop reaches it, with its own user. */
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { natsLogin } from '@shop/stack';
import type { ServiceName } from '@shop/system';
import type { Shop } from './shop';

/** Whoever connects has to close it. */
export function connectAs(shop: Shop, name: ServiceName): Promise<NatsConnection> {
  const { servers } = natsLogin(shop.system.stack.natsUrl);
  const { user, password } = shop.system.busLogin(name);
  return connect({ servers, user, pass: password, inboxPrefix: `_INBOX_${user}` });
}

export async function publishAs(shop: Shop, name: ServiceName, subject: string, text: string): Promise<void> {
  const nats = await connectAs(shop, name);
  nats.publish(subject, text);
  await nats.flush();
  await nats.close();
}
