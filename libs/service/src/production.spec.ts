import { createHash } from 'node:crypto';
import { showsDocs, unfitForProduction, unfitForTheBroker, unfitForTheDatabase, unfitForTokens } from './production';

const KEY = 'a-key-of-enough-characters';
const GOOD = `${KEY}=acme/carl:customer`;
const URL_OF = (rest: string) => `postgres://app:${rest}`;
const hashed = (key: string) => `sha256:${createHash('sha256').update(key).digest('hex')}`;

describe('R54 what is not fit for production', () => {
  it('R54 a password of the broker that docker-compose has', () => {
    expect(unfitForTheBroker({ NATS_PASSWORD: 'dev-order' })).toEqual(['NATS_PASSWORD is one of development']);
    expect(unfitForTheBroker({ NATS_PASSWORD: 'Zq7-long-enough' })).toEqual([]);
    expect(unfitForTheBroker({})).toEqual([]);
  });

  it.each([
    ['the key of development', 'dev-key=a/b:customer', /entry 1 .* the key of development/],
    ['its hash', `${hashed('dev-key')}=a/b:customer`, /entry 1 .* the key of development/],
    ['a short key', `${GOOD},123456789012345=a/b:customer`, /entry 2 .* fewer than 16/],
    ['a key of two tenants', `${GOOD},${hashed(KEY)}=other/carl:customer`, /entry 1 .* of entry 2, and another tenant/],
  ])('R54 %s', (_, apiKeys, reason) => {
    expect(unfitForProduction(apiKeys).join('; ')).toMatch(reason);
  });

  it.each([
    GOOD,
    `${GOOD},${hashed(KEY)}=acme/other:operator`,
    `${hashed('short')}=a/b:customer`,
    '1234567890123456=a/b:customer',
  ])('R54 not these keys: %s', (apiKeys) => {
    expect(unfitForProduction(apiKeys)).toEqual([]);
  });

  it.each([
    ['shop@localhost/shop', true],
    ['Postgres@localhost/shop', true],
    ['%70assword@localhost/shop', true],
    ['app@localhost/shop', true],
    ['x@localhost/shop?password=shop', true],
    ['dev-order-db@localhost/shop', true],
    ['@localhost/shop', false],
    ['Zq7-long-enough@localhost/shop', false],
  ])('R54 the database address postgres://app:%s: %s', (rest, weak) => {
    const reasons = weak ? ['ORDER_DATABASE_URL has a password that everybody knows'] : [];
    expect(unfitForTheDatabase('order', { everyday: { url: URL_OF(rest) } })).toEqual(reasons);
  });

  it('R54 the address of the role that migrates is looked at too', () => {
    const [everyday, migrator] = [
      { url: URL_OF('Zq7@localhost/shop') },
      { url: URL_OF('dev-migrator@localhost/shop') },
    ];
    expect(unfitForTheDatabase('order', { everyday, migrator })).toEqual([
      'ORDER_MIGRATION_DATABASE_URL has a password that everybody knows',
    ]);
  });

  it('R54 a password in a file is nobody else’s business', () => {
    expect(
      unfitForTheDatabase('order', { everyday: { url: URL_OF('shop@localhost/shop'), passwordFile: 'x' } }),
    ).toEqual([]);
  });

  it.each([
    ['Zq7@db/shop', true],
    ['Zq7@10.0.0.7:5432/shop', true],
    ['Zq7@db/shop?application_name=x', true],
    ['Zq7@db/shop?sslmode=verify-full', false],
    ['Zq7@db/shop?sslrootcert=ca.pem', false],
    ['Zq7@db/shop?sslmode=disable', false],
    ['Zq7@localhost/shop', false],
    ['Zq7@127.0.0.1:5432/shop', false],
    ['Zq7@[::1]:5432/shop', false],
    ['Zq7@x/shop?host=/var/run/postgresql', false],
  ])('R54 a network without TLS, unless it is meant: postgres://app:%s: %s', (rest, weak) => {
    const reasons = unfitForTheDatabase('order', { everyday: { url: URL_OF(rest) } });
    expect(reasons).toEqual(weak ? [expect.stringMatching(/^ORDER_DATABASE_URL goes over a network without TLS/)] : []);
  });
});

describe('R54 an issuer that is not fit for production', () => {
  it.each([
    [{}, []],
    [{ OIDC_ISSUER: 'https://login.example', OIDC_JWKS_URL: 'https://login.example/keys' }, []],
    [{ OIDC_ISSUER: 'http://login.example' }, ['OIDC_ISSUER is not https']],
    [{ OIDC_ISSUER: 'https://login.example', OIDC_JWKS_URL: 'http://login' }, ['OIDC_JWKS_URL is not https']],
  ])('R54 is one over plain HTTP: %j', (given, reasons) => {
    expect(unfitForTokens(given)).toEqual(reasons);
  });
});

describe('R54 the document of the API', () => {
  it.each([
    ['development', undefined, true],
    ['production', undefined, false],
    ['production', 'on', true],
    ['development', 'off', false],
  ] as const)('R54 in %s, when asked for %s, is shown: %s', (NODE_ENV, API_DOCS, shown) => {
    expect(showsDocs({ NODE_ENV, API_DOCS })).toBe(shown);
  });
});
