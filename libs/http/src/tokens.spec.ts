/** Tokens of an issuer that is a real server: what is let in, what is not, and what happens when the issuer is away. */
import 'reflect-metadata';
import { createHmac, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Caller } from './api-keys';
import { exportJWK, type JWTPayload, SignJWT } from 'jose';
import { Problem } from '@shop/problem';
import { callerIn, Tokens, type TokensOptions } from './tokens';

const AUDIENCE = 'shop';
const claims = { tenant: 'tenant', roles: 'roles', principal: 'sub' };
const newKey = () => generateKeyPairSync('rsa', { modulusLength: 2_048 });
const [firstKey, secondKey, foreignKey] = [newKey(), newKey(), newKey()];
const curve = generateKeyPairSync('ec', { namedCurve: 'P-256' });

/** The issuer: what it answers, and how often it was asked for its keys. */
let server: Server;
let issuer: string;
let published: object[];
let mode: 'well' | 'broken' | 'silent' | 'nonsense';
let asked: number;
let troubles: Error[];

const jwk = async (key: KeyObject, kid: string, alg = 'RS256') => ({ ...(await exportJWK(key)), kid, alg, use: 'sig' });

beforeEach(async () => {
  published = [await jwk(firstKey.publicKey, 'one'), await jwk(curve.publicKey, 'curve', 'ES256')];
  [mode, asked, troubles] = ['well', 0, []];
  server = createServer((request, response) => {
    if (mode === 'silent') return;
    if (request.url === '/.well-known/openid-configuration') {
      return response.end(JSON.stringify({ issuer, jwks_uri: `${issuer}/keys` }));
    }
    asked++;
    if (mode === 'broken') response.statusCode = 500;
    response.end(mode === 'nonsense' ? '{"keys": 7}' : JSON.stringify({ keys: published }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => stopServer());

function stopServer(): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}

const tokens = (options: Partial<TokensOptions> = {}) =>
  new Tokens({
    issuer,
    audience: AUDIENCE,
    claims,
    onTrouble: (error) => troubles.push(error),
    cooldownMs: 0,
    pauseMs: 0,
    ...options,
  });

interface Made {
  payload?: JWTPayload;
  key?: KeyObject;
  kid?: string;
  alg?: string;
  audience?: string;
  from?: string;
  /** Seconds from now. */
  expires?: number | null;
  notBefore?: number;
}

const now = () => Math.floor(Date.now() / 1_000);

function make(made: Made = {}): Promise<string> {
  const { key = firstKey.privateKey, kid = 'one', alg = 'RS256', audience = AUDIENCE, from = issuer } = made;
  const { payload = {}, expires = 60, notBefore } = made;
  const token = new SignJWT({ tenant: 'acme', roles: ['customer'], sub: 'alice', ...payload })
    .setProtectedHeader({ alg, kid })
    .setIssuer(from)
    .setAudience(audience);
  if (expires !== null) token.setExpirationTime(now() + expires);
  if (notBefore !== undefined) token.setNotBefore(now() + notBefore);
  return token.sign(key);
}

async function whoSends(text: string, by = tokens()): Promise<Caller | [status: number, code: string] | undefined> {
  const known = await by.callerOf({ text, sha256: '' });
  return known instanceof Problem ? [known.getStatus(), known.code] : known;
}

const alice: Caller = { tenant: 'acme', principal: 'alice', roles: ['customer'] };
const STRANGER = [401, 'unauthenticated'];
const LATER = [503, 'unavailable'];

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
/** A token that no library would make. */
function forge(alg: string, sign: (text: string) => string): string {
  const payload = { tenant: 'acme', roles: ['operator'], sub: 'eve', iss: issuer, aud: AUDIENCE, exp: now() + 60 };
  const text = `${encode({ alg, kid: 'one' })}.${encode(payload)}`;
  return `${text}.${sign(text)}`;
}

describe('R54 a token', () => {
  it('R54 of the issuer tells who calls, and the keys are fetched once', async () => {
    const by = tokens();
    expect(await whoSends(await make(), by)).toEqual(alice);
    expect(await whoSends(await make({ key: curve.privateKey, kid: 'curve', alg: 'ES256' }), by)).toEqual(alice);
    expect(asked).toBe(1);
  });

  it('R54 may be checked with keys at an address of our own', async () => {
    const by = tokens({ jwksUrl: `${issuer}/elsewhere` });
    expect(await whoSends(await make(), by)).toEqual(alice);
  });

  it('R54 is told from an API key by its form', () => {
    for (const text of ['dev-key', 'a.b.c', 'eyJ', 'eyJh.b', 'eyJh.b.c.d.e']) {
      expect(tokens().callerOf({ text, sha256: '' })).toBeUndefined();
    }
  });

  it.each<[string, Made]>([
    ['that has expired', { expires: -60 }],
    ['that never expires', { expires: null }],
    ['that is not valid yet', { notBefore: 60 }],
    ['for another audience', { audience: 'bank' }],
    ['of another issuer', { from: 'https://elsewhere.example' }],
    ['with a kid that the issuer does not have', { kid: 'unknown' }],
    ['with the signature of another key', { key: foreignKey.privateKey }],
    ['with the signature of another algorithm', { alg: 'PS256' }],
  ])('R54 %s is refused', async (_, made) => {
    expect(await whoSends(await make(made))).toEqual(STRANGER);
    expect(troubles).toEqual([]);
  });

  it('R54 may be a little late, because clocks differ', async () => {
    expect(await whoSends(await make({ expires: -2 }))).toEqual(alice);
    expect(await whoSends(await make({ notBefore: 2 }))).toEqual(alice);
  });

  it.each<[string, () => string]>([
    ['no signature', () => forge('none', () => '')],
    [
      'the public key as a shared secret',
      () => {
        const pem = createPublicKey(firstKey.privateKey).export({ type: 'spki', format: 'pem' });
        return forge('HS256', (text) => createHmac('sha256', pem).update(text).digest('base64url'));
      },
    ],
    ['claims that are no JSON', () => `${encode({ alg: 'RS256', kid: 'one' })}.bm8.AAAA`],
    ['a header that is no JSON', () => 'eyJub3QganNvbg.e30.AAAA'],
  ])('R54 with %s is refused', async (_, forged) => {
    expect(await whoSends(forged())).toEqual(STRANGER);
    expect(troubles).toEqual([]);
  });

  it('R54 with a key that the issuer has only now is good at once; one of a withdrawn key is not', async () => {
    const by = tokens();
    await whoSends(await make(), by);
    published = [await jwk(secondKey.publicKey, 'two')];
    expect(await whoSends(await make({ key: secondKey.privateKey, kid: 'two' }), by)).toEqual(alice);
    expect(await whoSends(await make(), by)).toEqual(STRANGER);
  });

  it('R54 with an unknown kid does not make us ask again and again', async () => {
    const by = tokens({ cooldownMs: 60_000 });
    for (let count = 0; count < 5; count++) expect(await whoSends(await make({ kid: 'x' }), by)).toEqual(STRANGER);
    expect(asked).toBe(1);
  });
});

describe('R54 when the issuer is away', () => {
  it.each(['broken', 'nonsense'] as const)('R54 (%s) a token may come again, and is good later', async (how) => {
    mode = how;
    const by = tokens();
    expect(await whoSends(await make(), by)).toEqual(LATER);
    expect(troubles).toHaveLength(1);
    mode = 'well';
    expect(await whoSends(await make(), by)).toEqual(alice);
  });

  it('R54 nobody waits for one that is silent for long, and all who wait ask it once', async () => {
    mode = 'silent';
    const by = tokens({ timeoutMs: 50 });
    const token = await make();
    const answers = await Promise.all(Array.from({ length: 20 }, () => whoSends(token, by)));
    expect(answers).toEqual(Array.from({ length: 20 }, () => LATER));
    expect(troubles).toHaveLength(1);
  });

  it('R54 it is left alone for a while', async () => {
    mode = 'broken';
    const by = tokens({ pauseMs: 60_000 });
    for (let count = 0; count < 5; count++) expect(await whoSends(await make(), by)).toEqual(LATER);
    expect(asked).toBe(1);
  });

  it('R54 tokens whose key is known are good; of others it cannot be told', async () => {
    const by = tokens();
    const token = await make();
    await whoSends(token, by);
    await stopServer();
    expect(await whoSends(await make({ kid: 'unknown' }), by)).toEqual(LATER);
    expect(await whoSends(token, by)).toEqual(alice);
    expect(await whoSends(await make({ key: foreignKey.privateKey }), by)).toEqual(STRANGER);
  });

  it('R54 the keys that it had are good even when it is time to fetch them again', async () => {
    const by = tokens({ maxAgeMs: 0 });
    const token = await make();
    expect([await whoSends(token, by), await whoSends(token, by), asked]).toEqual([alice, alice, 2]);
    await stopServer();
    expect(await whoSends(token, by)).toEqual(alice);
  });

  it('R54 a discovery document of somebody else is none', async () => {
    const by = tokens({ issuer: `${issuer}/` });
    expect(await whoSends(await make({ from: `${issuer}/` }), by)).toEqual(LATER);
    expect(troubles[0]!.message).toMatch(/another issuer/);
  });
});

describe('R54 the claims of a token', () => {
  const nested = { tenant: 'https://shop.example/tenant', roles: 'realm_access.roles', principal: 'sub' };
  const who = (payload: JWTPayload, names = claims) => callerIn({ sub: 'alice', tenant: 'acme', ...payload }, names);

  it('R54 may have other names, and be inside of others', () => {
    const payload = { 'https://shop.example/tenant': 'acme', realm_access: { roles: ['operator'] } };
    expect(who(payload, nested)).toEqual({ ...alice, roles: ['operator'] });
  });

  it.each<[unknown, string[]]>([
    [['customer', 'barista', 7], ['customer']],
    ['openid operator', ['operator']],
  ])('R54 tell the roles that are known here: %j', (roles, known) => {
    expect(who({ roles })).toEqual({ ...alice, roles: known });
  });

  it.each<[string, string]>([
    ['auth0|5f', 'auth0%7C5f'],
    ['a b/c', 'a%20b%2Fc'],
    ['alice@example.com', 'alice@example.com'],
  ])('R54 make a principal that is one part of a key: %s', (sub, principal) => {
    expect(who({ sub, roles: 'customer' })).toMatchObject({ principal });
  });

  it.each<[string, JWTPayload]>([
    ['no tenant', { tenant: undefined }],
    ['a tenant that is two parts of a key', { tenant: 'acme|alice' }],
    ['two tenants', { tenant: ['acme', 'rival'] }],
    ['no role', { roles: [] }],
    ['no known role', { roles: ['barista'] }],
    ['roles that are no list', { roles: { customer: true } }],
    ['nobody', { sub: undefined }],
    ['a name without end', { sub: 'ä'.repeat(60) }],
    ['half a character', { sub: 'a\ud800' }],
  ])('R54 with %s let nobody in', (_, payload) => {
    const known = who({ roles: ['customer'], ...payload });
    expect(known).toBeInstanceOf(Problem);
    expect((known as Problem).body).toMatchObject({ status: 403, code: 'token_incomplete' });
  });
});
