/** What others than the right service put on the bus moves neither money nor goods. */
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { natsLogin } from '@shop/stack';
import { catalogue, type ServiceName } from '@shop/system';
import { eventually } from '@shop/testing';
import { connectAs } from './publish-as';
import { Shop } from './shop';

const START_TIMEOUT_MS = 60_000;

describe('R64 forged messages', () => {
  let shop: Shop;
  const connections: NatsConnection[] = [];

  beforeAll(async () => {
    shop = await Shop.open(catalogue);
  }, START_TIMEOUT_MS);
  afterAll(async () => {
    await Promise.all(connections.map((nats) => nats.close()));
    await shop?.close();
  });

  async function keepConnection(name: ServiceName): Promise<NatsConnection> {
    const nats = await connectAs(shop, name);
    connections.push(nats);
    return nats;
  }

  const replyOf = (source: string, sagaId: string, step: string) => ({
    specversion: '1.0',
    id: `${sagaId}/${step}/do/reply`,
    type: 'payment.charge-payment.v1.reply',
    source,
    subject: sagaId,
    causationid: `${sagaId}/${step}/do`,
    datacontenttype: 'application/json',
    data: { outcome: 'succeeded' },
  });
  const commandOf = (source: string, type: string, data: object) => ({
    specversion: '1.0',
    id: `${crypto.randomUUID()}/charge/do`,
    type,
    source,
    subject: crypto.randomUUID(),
    replyto: 'reply.order',
    datacontenttype: 'application/json',
    data,
  });

  it('R64 a stranger cannot connect, and an old password opens nothing', async () => {
    const { servers } = natsLogin(shop.system.stack.natsUrl);
    await expect(connect({ servers })).rejects.toThrow(/Authorization/);
    await expect(connect({ servers, user: 'order', pass: 'p-old' })).rejects.toThrow(/Authorization/);
  });

  it('R64 a service with a wrong password ends with one sentence, without the password', async () => {
    const started = shop.system.addReplica('payment', { NATS_PASSWORD: 'p-wrong' });
    const sentence = await started.then(String, ({ message }: Error) => message);
    expect(sentence).toMatch(/^payment cannot start: the broker refuses the credentials; set NATS_USER and [^\n]*$/m);
    expect(sentence).not.toContain('p-wrong');
  });

  it('R64 a success that inventory tells in the name of payment confirms no order', async () => {
    await shop.system.services.payment.kill('SIGKILL');
    const { body } = await shop.place([{ sku: 'cup', quantity: 1 }], 'tok_declined');
    const saga = async () => (await shop.order.get<{ history: { to: string }[] }>(`/orders/${body.id}/saga`)).body;
    await eventually(async () => expect((await saga()).history.at(-1)!.to).toBe('charge.do'));
    const sagaOf = ({ orderId, sagaId: id }: Record<string, unknown>) => (orderId === body.id ? id : undefined);
    const sagaId = await eventually(() => {
      const id = shop.lines().map(sagaOf).find(Boolean);
      expect(id).toBeDefined();
      return String(id);
    });
    const nats = await keepConnection('inventory');
    for (const source of ['payment', 'inventory']) {
      const batch = JSON.stringify([replyOf(source, sagaId, 'charge')]);
      for (const subject of ['reply.order.from.inventory', 'reply.order.from.payment', 'reply.order.batch']) {
        nats.publish(subject, batch);
      }
    }
    // One is dropped for its subject, and one for its saga.
    await eventually(() => {
      expect(shop.lines().filter(({ event }) => event === 'messaging.batch.forged')).toHaveLength(1);
    });
    await shop.system.services.payment.start();
    expect((await shop.settled(body.id)).body).toMatchObject({ status: 'cancelled', reason: 'payment_declined' });
  });

  it('R64 commands that others than the order service send charge, refund, reserve and stop nothing', async () => {
    const payments = async () => (await shop.payment.all<object>('/payments')).length;
    const confirmed = (await shop.place([{ sku: 'cup', quantity: 1 }])).body;
    expect((await shop.settled(confirmed.id)).body.status).toBe('confirmed');
    const before = await payments();
    const sagaId = (await shop.order.get<{ id: string }>(`/orders/${confirmed.id}/saga`)).body.id;
    const refund = { tenant: 'demo', orderId: confirmed.id, chargeId: `${sagaId}/charge/do` };
    const charge = {
      tenant: 'demo',
      orderId: crypto.randomUUID(),
      amount: 99_999_999,
      currency: 'EUR',
      source: 'tok_ok',
    };
    const stop = { tenant: 'demo', orderId: confirmed.id };
    const reserve = { tenant: 'demo', reservationId: crypto.randomUUID(), lines: [{ sku: 'cup', quantity: 5 }] };
    for (const name of ['inventory', 'payment', 'fulfilment'] as const) {
      const nats = await keepConnection(name);
      for (const [target, command] of [
        ['payment', commandOf('order', 'payment.charge-payment.v1', charge)],
        ['payment', commandOf('order', 'payment.refund-payment.v1', refund)],
        ['inventory', commandOf('order', 'inventory.reserve-stock.v1', reserve)],
        ['fulfilment', commandOf('order', 'fulfilment.stop-delivery.v1', stop)],
      ] as const) {
        // Its own mailbox by the subject for replays belongs to the service itself.
        const own = target === name ? [] : [`cmd.${target}.replay`];
        for (const subject of [
          `cmd.${target}.from.order`,
          `cmd.${target}.from.${name}`,
          `cmd.${target}.batch`,
          ...own,
        ]) {
          nats.publish(subject, JSON.stringify([command]));
        }
      }
      await nats.flush();
    }
    // What comes behind them is done, so they were refused and not only late.
    const { body } = await shop.place([{ sku: 'cup', quantity: 1 }]);
    expect((await shop.settled(body.id)).body.status).toBe('confirmed');
    expect(await payments()).toBe(before + 1);
    const { refunded } = (await shop.payment.all<{ orderId: string; refunded: number }>('/payments')).find(
      ({ orderId }) => orderId === confirmed.id,
    )!;
    expect(refunded).toBe(0);
  });

  it('R64 no line of the log has a password of the bus', () => {
    const text = JSON.stringify(shop.lines());
    for (const name of ['order', 'inventory', 'payment', 'fulfilment'] as const) {
      expect(text).not.toContain(shop.system.busLogin(name).password);
    }
  });

  it('R64 leaves exact books', async () => {
    await eventually(async () => expect((await shop.books()).faults).toEqual([]), { timeoutMs: 20_000 });
  });
});
