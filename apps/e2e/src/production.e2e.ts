/** Services that are started in production with the settings of a developer's machine, as processes. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';

const DIST = join(__dirname, '../../../dist/apps');
const KEY = 'a-key-of-enough-characters';

interface End {
  code: number | null;
  said: string;
}

/** Nobody listens at these addresses: what is fit for production fails only there. */
function start(service: string, env: Record<string, string>): Promise<End> {
  const variables = {
    NODE_ENV: 'production',
    NATS_URL: 'nats://127.0.0.1:1',
    API_KEYS: `${KEY}=acme/carl:customer`,
    [`${service.toUpperCase()}_DATABASE_URL`]: 'postgres://app:Zq7-long-enough@127.0.0.1:1/shop',
    [`${service.toUpperCase()}_PORT`]: '0',
    PAYMENT_PROVIDER: 'stripe',
    STRIPE_API_KEY: 'sk_test_none',
    STRIPE_WEBHOOK_SECRETS: `whsec_${randomBytes(16).toString('hex')}`,
    DATA_KEYS: `k1:${randomBytes(32).toString('base64')}`,
    ...env,
  };
  const child = spawn(process.execPath, [join(DIST, service, 'main.js')], {
    env: { PATH: process.env['PATH'], ...variables },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (part: Buffer) => (said += part.toString()));
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, said })));
}

const sentence = 'cannot start: NODE_ENV is production, and this is for development only: ';
const url = (password: string) => `postgres://app:${password}@127.0.0.1:1/shop`;

describe('R54 a service in production', () => {
  it('R54 lists in one sentence all that is for development only', async () => {
    const { code, said } = await start('payment', {
      API_KEYS: `dev-key=demo/developer:operator,${KEY}=acme/carl:customer,${KEY}=other/carl:customer`,
      PAYMENT_DATABASE_URL: url('shop'),
      CORS_ORIGINS: '*',
      PAYMENT_PROVIDER: 'simulated',
      DATA_KEYS: '',
    });
    expect(code).toBe(1);
    expect(said).toBe(
      `payment ${sentence}entry 1 of API_KEYS is the key of development; ` +
        'entry 1 of API_KEYS has a key of fewer than 16 characters; ' +
        'entry 2 of API_KEYS has the key of entry 3, and another tenant; ' +
        'PAYMENT_DATABASE_URL has a password that everybody knows; ' +
        'CORS_ORIGINS has *, which is any page; ' +
        'PAYMENT_PROVIDER is simulated, which takes no money; ' +
        'DATA_KEYS is missing, and without it the key of development is used\n',
    );
  });

  it.each(['order', 'inventory', 'payment', 'fulfilment'])(
    'R54 the %s service does not start with the key of development',
    async (service) => {
      const { code, said } = await start(service, { API_KEYS: 'dev-key=demo/developer:customer+operator' });
      expect([code, said.startsWith(`${service} ${sentence}`), said.includes('dev-key')]).toEqual([1, true, false]);
    },
  );

  it.each([
    ['', 'STRIPE_WEBHOOK_SECRETS is missing, and without it no event of the provider can be believed'],
    ['whsec_development', 'STRIPE_WEBHOOK_SECRETS has a secret of development'],
  ])('R57 the payment service does not start with the webhook secret "%s"', async (secret, reason) => {
    const { code, said } = await start('payment', { STRIPE_WEBHOOK_SECRETS: secret });
    expect([code, said]).toEqual([1, `payment ${sentence}${reason}\n`]);
  });

  it.each<[string, Record<string, string>]>([
    ['keys and a password of its own', {}],
    ['a key that is kept as a hash', { API_KEYS: `sha256:${'a'.repeat(64)}=acme/carl:customer` }],
    ['no production', { NODE_ENV: 'development', API_KEYS: 'dev-key=a/b:customer', ORDER_DATABASE_URL: url('shop') }],
  ])('R54 goes on to its database with %s', async (_, env) => {
    const { code, said } = await start('order', env);
    expect([code, said]).toEqual([1, expect.stringMatching(/^order cannot start: the database cannot be reached/)]);
  });
});
