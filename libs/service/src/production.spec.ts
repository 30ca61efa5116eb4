import { createHash } from 'node:crypto';
import { showsDocs, unfitForProduction, unfitForTheBroker, unfitForTokens } from './production';

const KEY = 'a-key-of-enough-characters';
const GOOD = `${KEY}=acme/carl:customer`;
const URL_OF = (rest: string) => `postgres://app:${rest}`;
const GOOD_URL = URL_OF('Zq7-long-enough@db:5432/shop');
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
    expect(unfitForProduction(apiKeys, 'ORDER_DATABASE_URL', GOOD_URL).join('; ')).toMatch(reason);
  });

  it.each([
    GOOD,
    `${GOOD},${hashed(KEY)}=acme/other:operator`,
    `${hashed('short')}=a/b:customer`,
    '1234567890123456=a/b:customer',
  ])('R54 not these keys: %s', (apiKeys) => {
    expect(unfitForProduction(apiKeys, 'ORDER_DATABASE_URL', GOOD_URL)).toEqual([]);
  });

  it.each([
    ['shop@db/shop', true],
    ['Postgres@db/shop', true],
    ['%70assword@db/shop', true],
    ['app@db/shop', true],
    ['x@db/shop?password=shop', true],
    ['@db/shop', false],
    ['Zq7-long-enough@db/shop', false],
  ])('R54 the database address postgres://app:%s: %s', (rest, weak) => {
    const reasons = weak ? ['ORDER_DATABASE_URL has a password that everybody knows'] : [];
    expect(unfitForProduction(GOOD, 'ORDER_DATABASE_URL', URL_OF(rest))).toEqual(reasons);
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
