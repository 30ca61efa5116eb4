/** What a real broker lets each user do, and what it refuses. */
import { AckPolicy, jetstreamManager } from '@nats-io/jetstream';
import { connect, errors, type NatsConnection } from '@nats-io/transport-node';
import { natsLogin, type Stack, startStack } from '@shop/stack';
import { eventually, testStack } from '@shop/testing';
import { closeAll, closeLater, silent } from '../testing/test-service';
import { Broker, BrokerRefusal } from './broker';
import { isFromItsSender } from './message';
import { type BusRole, configurationOf, inboxPrefixOf, permissionsOf } from './permissions';
import { ensureConsumer, ensureStream } from './topology';

const roles: BusRole[] = [
  { service: 'shop', commands: ['crane', 'till'], tells: true },
  { service: 'crane', answers: ['shop'], hears: ['shop'] },
  { service: 'till', answers: ['shop'] },
];
const services = roles.map(({ service }) => service);
const streams = ['COMMANDS', 'REPLIES', 'EVENTS'];
const mailboxes = ['cmd.crane', 'cmd.till', 'reply.shop', 'evt.shop@crane'];
const operator = { user: 'operator', password: 'p-operator' };

let stack: Stack;
let admin: NatsConnection;

beforeAll(async () => {
  const configuration = configurationOf([
    { name: 'operator', password: '"p-operator"' },
    ...roles.map((role) => ({ name: role.service, password: `"p-${role.service}"`, permissions: permissionsOf(role) })),
  ]);
  const env = { ...process.env, DATABASE_URL: (await testStack()).adminUrl, NATS_URL: '' };
  stack = await startStack({ databases: [], env, natsAccess: { configuration, operator } });
  admin = await connect(natsLogin(stack.natsUrl));
  for (const mailbox of mailboxes) await ensureConsumer(await jetstreamManager(admin), mailbox);
}, 240_000);
afterEach(closeAll);
afterAll(async () => {
  await admin?.close();
  await stack?.stop();
});

const address = (): string => natsLogin(stack.natsUrl).servers;

/** Nobody may publish it; what was refused before it is known when it is refused. */
const LAST = 'nobody.may';

interface Client {
  nats: NatsConnection;
  /** The subjects that the broker has refused so far. */
  refused: () => Promise<string[]>;
}

async function clientOf(service: string): Promise<Client> {
  const login = { servers: address(), user: service, pass: `p-${service}`, inboxPrefix: inboxPrefixOf(service) };
  const nats = await connect(login);
  closeLater(() => nats.close());
  const seen: string[] = [];
  void (async () => {
    for await (const status of nats.status()) {
      if (status.type === 'error' && status.error instanceof errors.PermissionViolationError) {
        seen.push(`${status.error.operation} ${status.error.subject}`);
      }
    }
  })();
  const refused = async () => {
    nats.publish(LAST, '');
    const last = `publish ${LAST}`;
    await eventually(() => expect(seen).toContain(last));
    return seen.filter((one) => one !== last);
  };
  return { nats, refused };
}

const isWithin = (allowed: string, subject: string): boolean => {
  const theirs = subject.split('.');
  const ours = allowed.split('.');
  return (
    ours.every((token, at) => token === '>' || token === '*' || token === theirs[at]) &&
    (ours.at(-1) === '>' || ours.length === theirs.length)
  );
};
const isAllowed = (subjects: readonly string[], subject: string) => subjects.some((one) => isWithin(one, subject));
const concrete = (subject: string): string => subject.replaceAll('*', 'x').replace(/>$/, 'x');

/** All that anybody may publish, and all that nobody may. */
const ofOthers = roles.flatMap((role) => permissionsOf(role).publish.map(concrete));
const ofNobody = [
  ...streams.flatMap((stream) => [
    `$JS.API.STREAM.PURGE.${stream}`,
    `$JS.API.STREAM.DELETE.${stream}`,
    `$JS.API.STREAM.MSG.DELETE.${stream}`,
    `$JS.API.STREAM.SNAPSHOT.${stream}`,
    `$JS.API.STREAM.RESTORE.${stream}`,
    `$JS.API.CONSUMER.CREATE.${stream}`,
    `$JS.API.CONSUMER.DURABLE.CREATE.${stream}.spy`,
    `$JS.API.CONSUMER.CREATE.${stream}.spy.x`,
    `$JS.API.DIRECT.GET.${stream}`,
  ]),
  ...['COMMANDS.cmd-crane', 'COMMANDS.cmd-till', 'REPLIES.reply-shop'].map((one) => `$JS.API.CONSUMER.DELETE.${one}`),
  '$JS.API.STREAM.CREATE.SPY',
  '$JS.API.STREAM.LIST',
  '$JS.API.STREAM.NAMES',
  '$JS.API.INFO',
  '$JS.API.ACCOUNT.PURGE.x',
  '$SYS.REQ.SERVER.PING',
  ...services.flatMap((service) => [`cmd.${service}.batch`, `reply.${service}.batch`, `cmd.${service}.from.nobody`]),
  ...services.map((service) => `${inboxPrefixOf(service)}.x`),
];

describe.each(roles)('R64 the user of $service', (role) => {
  const { service } = role;
  const own = permissionsOf(role);

  it('R64 publishes on no subject of another service, and touches no stream or consumer of others', async () => {
    const { nats, refused } = await clientOf(service);
    const foreign = [...new Set([...ofOthers, ...ofNobody])].filter((subject) => !isAllowed(own.publish, subject));
    // It would pass with a list that is empty.
    expect(foreign.length).toBeGreaterThan(ofNobody.length / 2);
    for (const subject of foreign) nats.publish(subject, '[]');
    expect((await refused()).sort()).toEqual(foreign.map((subject) => `publish ${subject}`).sort());
  });

  it('R64 hears nothing that is sent to others', async () => {
    const { nats, refused } = await clientOf(service);
    const wide = ['>', '*.>', 'cmd.>', 'reply.>', 'direct.>', 'evt.>', '_INBOX.>', '$JS.>', '$SYS.>', 'note.>'];
    const foreign = roles.flatMap((other) => permissionsOf(other).subscribe);
    const asked = [...wide, ...foreign].filter((subject) => !own.subscribe.includes(subject));
    for (const subject of asked) nats.subscribe(subject, { callback: () => undefined });
    expect((await refused()).sort()).toEqual(asked.map((subject) => `subscription ${subject}`).sort());
  });

  it('R64 has all that its permissions say', async () => {
    const { nats, refused } = await clientOf(service);
    for (const subject of own.subscribe) nats.subscribe(subject, { callback: () => undefined });
    for (const subject of own.publish.filter((one) => !one.includes('CONSUMER.DELETE'))) {
      nats.publish(concrete(subject), '[]');
    }
    expect(await refused()).toEqual([]);
  });
});

describe('R64 what a subject does not say', () => {
  it('R64 a consumer of ours cannot be given the filter of another one', async () => {
    const { nats } = await clientOf('till');
    const config = { durable_name: 'cmd-till', filter_subject: 'cmd.crane.>', ack_policy: AckPolicy.Explicit };
    const subject = '$JS.API.CONSUMER.CREATE.COMMANDS.cmd-till.cmd.till.>';
    const answer = await nats.request(subject, JSON.stringify({ stream_name: 'COMMANDS', config }));
    expect(answer.json()).toMatchObject({ error: { description: expect.stringContaining('filter') as string } });
  });

  it('R64 a stream that is there cannot be created again with other subjects', async () => {
    const { nats } = await clientOf('till');
    const config = { name: 'COMMANDS', subjects: ['cmd.>', 'direct.>'] };
    const answer = await nats.request('$JS.API.STREAM.CREATE.COMMANDS', JSON.stringify(config));
    expect(answer.json()).toMatchObject({ error: { code: 400 } });
  });

  it('R64 what is pulled to the address of another mailbox keeps the subject on which it was published', async () => {
    const { nats } = await clientOf('till');
    const heard: string[] = [];
    for (const subject of ['reply.shop.from.crane', 'direct.reply.shop.>']) {
      admin.subscribe(subject, { callback: (_, message) => void heard.push(message.subject) });
    }
    await admin.flush();
    for (const reply of ['reply.shop.from.crane', 'direct.reply.shop.one.from.crane']) {
      nats.publish('cmd.till.replay', '[]');
      nats.publish('$JS.API.CONSUMER.MSG.NEXT.COMMANDS.cmd-till', '1', { reply });
    }
    await eventually(() => expect(heard.length).toBeGreaterThanOrEqual(2));
    for (const subject of heard) {
      expect(subject).toMatch(/^cmd\.till\./);
      expect(isFromItsSender('reply.shop', subject, [])).toBe(false);
    }
  });
});

describe('R64 a stranger', () => {
  it.each([
    ['without a password', undefined],
    ['with an old password', { user: 'till', password: 'p-old' }],
    ['with the password of another user', { user: 'till', password: 'p-crane' }],
  ])('R64 %s is refused at start in one sentence', async (_, credentials) => {
    const broker = new Broker({ url: address(), service: 'till', logger: silent, credentials });
    closeLater(() => broker.close());
    await expect(broker.connect()).rejects.toThrow(BrokerRefusal);
    await expect(broker.connect()).rejects.toThrow(
      /^the broker refuses the credentials; .*NATS_USER and NATS_PASSWORD/,
    );
  });
});

describe('R64 a service with its own user', () => {
  const brokerOf = async (url: string, credentials?: { user: string; password: string }) => {
    const broker = new Broker({ url, service: 'till', logger: silent, credentials });
    await broker.connect();
    closeLater(() => broker.close());
    return broker;
  };

  it('R64 takes part as before, by credentials or by the user in the address', async () => {
    const brokers = [
      await brokerOf(address(), { user: 'till', password: 'p-till' }),
      await brokerOf(address().replace('//', '//till:p-till@')),
    ];
    for (const broker of brokers) {
      expect(await ensureConsumer(await broker.manager(), 'cmd.till')).toEqual({
        stream: 'COMMANDS',
        durable: 'cmd-till',
      });
      const { seq } = await broker.jetstream().publish('reply.shop.from.till', '[]');
      expect(seq).toBeGreaterThan(0);
    }
  });

  it('R64 takes a stream as it is when it may not change it', async () => {
    const manager = await jetstreamManager(admin);
    await manager.streams.update('COMMANDS', { max_bytes: 1_000_000 });
    const broker = await brokerOf(address(), { user: 'till', password: 'p-till' });
    expect((await ensureStream(await broker.manager(), 'cmd.till')).config.max_bytes).toBe(1_000_000);
    await ensureStream(manager, 'cmd.till');
  });
});
