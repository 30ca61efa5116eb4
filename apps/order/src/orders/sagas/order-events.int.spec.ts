import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { bulkMigrations } from '@shop/bulk';
import { fingerprintOf, ledgerMigrations, PostgresLedger, runOnce } from '@shop/idempotency';
import { type Message, messagingMigrations } from '@shop/messaging';
import { EventListener } from '@shop/messaging/testing';
import { createDatabase, type Database, migrate, type Statement } from '@shop/postgres';
import type { Stack } from '@shop/stack';
import { createTestDatabase, eventually, type TestDatabase, useStack } from '@shop/testing';
import { OrderApp, orderBody, type OrderJson, startOwnBroker } from '../../../testing/order-app';
import { allSucceed, allTakenBack, Participants, refused, type Script, succeeded } from '../../../testing/participants';

const stack = useStack();
const patience = { timeoutMs: 30_000 };

let broker: Stack;
let app: OrderApp;
let participants: Participants;
let home: TestDatabase;
let database: Database;
let mailer: EventListener;

/** A consumer like that of any service: it has a ledger in its own database, and the id of the event is the key. */
const ledger = new PostgresLedger();
const countEffect: Statement = {
  name: 'test.count-effect',
  text: `insert into effect values ($1, 1) on conflict (event) do update set times = effect.times + 1`,
};
async function take({ id, type, data }: Message): Promise<void> {
  const claim = { scope: 'mailer', key: id, fingerprint: fingerprintOf(type, data) };
  await runOnce(database, ledger, [{ claim }], {
    load: async () => undefined,
    decide: () => ({ status: 204, body: '' }),
    save: (tx) => tx.send(countEffect, [id]),
  });
}

beforeAll(async () => {
  broker = await startOwnBroker(stack);
  participants = await Participants.join(broker.natsUrl);
  home = await createTestDatabase();
  database = createDatabase({
    url: home.url,
    applicationName: 'mailer',
    migrations: [...ledgerMigrations, ...messagingMigrations, ...bulkMigrations],
  });
  await migrate(database);
  await database.dataSource.query('create table effect (event text primary key, times int not null)');
  app = await OrderApp.start({ databaseUrl: stack.databaseUrl, natsUrl: broker.natsUrl });
  await app.putProduct('cup', 1_200);
  mailer = await EventListener.start({ natsUrl: broker.natsUrl, database, name: 'mailer', service: 'order', take });
});
afterAll(async () => {
  await mailer.close();
  await app.close();
  await participants.leave();
  await database.close();
  await home.drop();
  await broker.stop();
});

async function place(script: Script): Promise<string> {
  const { id } = (await app.place(orderBody())).json<OrderJson>();
  await participants.play(id, script);
  return id;
}
const settled = (id: string) => app.get(`/orders/${id}`, { headers: { prefer: 'wait=30' } });
const effects = async () =>
  new Map(
    (await database.dataSource.query<{ event: string; times: number }[]>('select event, times from effect')).map(
      ({ event, times }) => [event, times] as const,
    ),
  );
const expectOnce = (ids: string[]) =>
  eventually(async () => {
    const found = await effects();
    expect(ids.filter((id) => found.get(id) !== 1)).toEqual([]);
  }, patience);

describe('the events of orders', () => {
  it('R41 tell of each order that is confirmed or cancelled, once', async () => {
    const [confirmed, refusedOne] = [await place(allSucceed), await place({ 'reserve/do': refused('out_of_stock') })];
    await Promise.all([settled(confirmed), settled(refusedOne)]);
    await expectOnce([`${confirmed}/confirmed`, `${refusedOne}/cancelled`]);
    expect((await effects()).size).toBe(2);
  });

  it('R41 tell that an order is confirmed, and then that it is cancelled', async () => {
    const id = await place(allSucceed);
    await settled(id);
    await app.call('DELETE', `/orders/${id}`);
    const { cancel_saga_id: cancelling } = (
      await app.query<{ cancel_saga_id: string }>('select cancel_saga_id from orders where id = $1', [id])
    )[0]!;
    await participants.play(cancelling, allTakenBack);
    await expectOnce([`${id}/confirmed`, `${id}/cancelled`]);
    const told = mailer.ids.filter((event) => event.startsWith(id));
    expect(told).toEqual([`${id}/confirmed`, `${id}/cancelled`]);
  });

  it('R41 tell nothing new of an order whose delivery could not be stopped', async () => {
    const id = await place(allSucceed);
    await settled(id);
    await expectOnce([`${id}/confirmed`]);
    const outbox = async () => (await app.query('select from outbox')).length;
    const before = await outbox();
    await app.call('DELETE', `/orders/${id}`);
    const [{ cancel_saga_id: cancelling }] = (await app.query<{ cancel_saga_id: string }>(
      'select cancel_saga_id from orders where id = $1',
      [id],
    )) as [{ cancel_saga_id: string }];
    await participants.play(cancelling, { 'stop-delivery/do': refused('already_shipped') });
    expect((await settled(id)).json()).toMatchObject({ status: 'confirmed' });
    expect(await outbox()).toBe(before);
  });

  it('R41 have their effects once when the stream is wiped under load and everything is told again', async () => {
    const before = mailer.heard.length;
    const placing = Array.from({ length: 40 }, async () => {
      const id = await place(allSucceed);
      await settled(id);
      return `${id}/confirmed`;
    });
    const nats = await connect({ servers: broker.natsUrl });
    const manager = await jetstreamManager(nats);
    const first = await Promise.race(placing);
    await eventually(() => expect(mailer.ids).toContain(first), patience);
    await manager.streams.delete('EVENTS');
    const ids = await Promise.all(placing);
    await expectOnce(ids);
    // The events from before the loss came a second time.
    await eventually(() => expect(mailer.heard.length).toBeGreaterThan(before + ids.length), patience);
    expect([...(await effects()).values()].every((times) => times === 1)).toBe(true);
    await nats.close();
  });

  it('R41 have their effects once when they are repeated, and the relay goes on behind what it has not published', async () => {
    const before = await place(allSucceed);
    await settled(before);
    await expectOnce([`${before}/confirmed`]);
    const nats = await connect({ servers: broker.natsUrl });
    const last = await (await jetstreamManager(nats)).streams.getMessage('EVENTS', { last_by_subj: 'evt.order.batch' });
    for (let repeat = 0; repeat < 3; repeat++) nats.publish(last!.subject, last!.data);
    await nats.drain();
    await eventually(() => expect(mailer.heard.filter(({ id }) => id === `${before}/confirmed`)).toHaveLength(4));
    const behind = await place(allSucceed);
    await expectOnce([`${before}/confirmed`, `${behind}/confirmed`]);
  });

  it('R41 are written with the change that they tell of', async () => {
    const outbox = () => app.query('select from outbox');
    const before = (await outbox()).length;
    const id = await place({});
    await participants.play(id, { 'reserve/do': succeeded });
    await eventually(() => expect(participants.commandsOf(id)).toContain('charge/do'));
    expect(await outbox()).toHaveLength(before);
    await participants.play(id, allSucceed);
    await settled(id);
    expect(await outbox()).toHaveLength(before + 1);
  });
});
