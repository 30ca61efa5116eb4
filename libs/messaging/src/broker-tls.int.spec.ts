import type { Logger } from '@shop/observability';
import { type Stack, startStack } from '@shop/stack';
import { type Authority, type Certificate, createAuthority, eventually, testStack } from '@shop/testing';
import { closeAll, closeLater } from '../testing/test-service';
import { Broker } from './broker';
import type { Tls } from './broker-options';

const START_TIMEOUT_MS = 240_000;
const PASSWORD = 'Zq7-a-password';

let authority: Authority;
let stranger: Authority;
let own: Certificate;
let stack: Stack;

/** A broker whose certificate is for `localhost` only. */
async function start(configuration: string): Promise<Stack> {
  const { adminUrl } = await testStack();
  const env = { ...process.env, DATABASE_URL: adminUrl, NATS_URL: '', TEST_STACK: '' };
  const operator = { user: 'order', password: PASSWORD };
  const access = `authorization { users: [ { user: order, password: "${PASSWORD}" } ] }\n${configuration}`;
  return startStack({ databases: [], durable: false, env, natsAccess: { configuration: access, operator } });
}

beforeAll(async () => {
  [authority, stranger] = [createAuthority(), createAuthority()];
  own = authority.signClient('order');
  const { certFile, keyFile } = authority.signServer(['DNS:localhost']);
  stack = await start(
    `tls { cert_file: "${certFile}", key_file: "${keyFile}", ca_file: "${authority.caFile}", verify: true }`,
  );
}, START_TIMEOUT_MS);
afterEach(closeAll);
afterAll(async () => {
  await stack?.stop();
  authority.close();
  stranger.close();
});

interface Line {
  servers: string;
  reason: string;
}

function brokerAt(host: string, tls: Tls | undefined, at = stack): { broker: Broker; waiting: Line[] } {
  const waiting: Line[] = [];
  const logger = {
    info: () => undefined,
    error: () => undefined,
    warn: (line: Line, event: string) => void (event === 'broker.waiting' && waiting.push(line)),
  } as unknown as Logger;
  const url = `nats://${host}:${new URL(at.natsUrl).port}`;
  const broker = new Broker({ url, service: 'order', credentials: { user: 'order', password: PASSWORD }, tls, logger });
  closeLater(() => broker.close());
  return { broker, waiting };
}

it('R64 a broker that asks for certificates is used with those of its authority, and again after it was away', async () => {
  const { broker } = brokerAt('localhost', { caFile: authority.caFile, ...own });
  await broker.connect();
  expect(broker.nats.info).toMatchObject({ tls_required: true, tls_verify: true });
  const returned = jest.fn();
  broker.onReconnect(returned);
  await stack.killNats();
  await stack.startNats();
  await eventually(() => expect(returned).toHaveBeenCalled(), { timeoutMs: 20_000 });
  await broker.ping();
}, 45_000);

describe('R64 one sentence without a secret ends the start', () => {
  it.each<[string, string, () => Tls | undefined, string]>([
    ['at a broker of another authority', 'localhost', () => ({ ...own, caFile: stranger.caFile }), 'unable to verify'],
    ['when nobody has named the authority', 'localhost', () => own, 'unable to verify'],
    ['when no file is given and the broker encrypts', 'localhost', () => undefined, 'unable to verify'],
    [
      'at a broker whose certificate is for another host',
      '127.0.0.1',
      () => ({ ...own, caFile: authority.caFile }),
      "IP: 127.0.0.1 is not in the cert's list",
    ],
  ])('R64 %s', async (_, host, tls, reason) => {
    const error = await brokerAt(host, tls())
      .broker.connect()
      .catch((thrown: Error) => thrown);
    expect(error).toMatchObject({
      code: 'EBROKERNOTTRUSTED',
      message: expect.stringMatching(/^the broker is not trusted \(.*\); NATS_CA_FILE has to fit it/),
    });
    expect((error as Error).message).toContain(reason);
    expect((error as Error).message).not.toContain(PASSWORD);
  });

  it('R64 at a broker that does not encrypt', async () => {
    const plain = await start('');
    closeLater(() => plain.stop());
    await expect(brokerAt('localhost', { caFile: authority.caFile }, plain).broker.connect()).rejects.toThrow(
      "the broker is not trusted (server does not support 'tls')",
    );
  }, 60_000);
});

describe('R64 a broker that does not accept our certificate is waited for, and the log has the reason', () => {
  it.each<[string, () => Certificate | undefined, string]>([
    ['without a certificate', () => undefined, 'it may ask for a certificate: set NATS_CERT_FILE and NATS_KEY_FILE'],
    ['with one of another authority', () => stranger.signClient('order'), 'it may not know the authority'],
  ])(
    'R64 %s',
    async (_, certificate, reason) => {
      const { broker, waiting } = brokerAt('localhost', { caFile: authority.caFile, ...certificate() });
      const connecting = broker.connect().catch(() => undefined);
      await eventually(() => expect(waiting.at(-1)?.reason).toContain(reason), { timeoutMs: 20_000 });
      expect(JSON.stringify(waiting)).not.toContain(PASSWORD);
      await broker.close();
      await connecting;
    },
    45_000,
  );
});
