/** A service that takes the tokens of an issuer, as its environment says. */
import 'reflect-metadata';
import { generateKeyPairSync } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Controller, Get } from '@nestjs/common';
import { bulkMigrations } from '@shop/bulk';
import { type Caller, CallerOf, Roles } from '@shop/http';
import { expectProblem, TestClient } from '@shop/http/testing';
import { ledgerMigrations } from '@shop/idempotency';
import { messagingMigrations } from '@shop/messaging';
import { useStack } from '@shop/testing';
import { exportJWK, SignJWT } from 'jose';
import { openService } from '../testing';
import { apiKeyMigrations, defineService, Port, PostgresUrl, ServiceEnvironment } from './index';
import { IsOptional } from 'class-validator';

class CraneEnvironment extends ServiceEnvironment {
  @Port() CRANE_PORT = 0;
  @PostgresUrl() CRANE_DATABASE_URL: string;
  @IsOptional() @PostgresUrl() CRANE_MIGRATION_DATABASE_URL?: string;
}

@Controller('cranes')
class CranesController {
  @Get()
  @Roles('customer')
  mine(@CallerOf() caller: Caller) {
    return caller;
  }
}

const crane = defineService({
  name: 'crane',
  title: 'Crane service',
  description: 'What is lifted.',
  environment: CraneEnvironment,
  migrations: [...ledgerMigrations, ...messagingMigrations, ...bulkMigrations, ...apiKeyMigrations],
  controllers: [CranesController],
});

const stack = useStack();
const { publicKey, privateKey } = generateKeyPairSync('ed25519');
let issuer: Server;
let url: string;
let client: TestClient;

beforeAll(async () => {
  const keys = [{ ...(await exportJWK(publicKey)), kid: 'one', alg: 'EdDSA' }];
  issuer = createServer((request, response) => {
    const isDiscovery = request.url === '/realm/.well-known/openid-configuration';
    response.end(JSON.stringify(isDiscovery ? { issuer: url, jwks_uri: `${url}/keys` } : { keys }));
  });
  await new Promise<void>((resolve) => issuer.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}/realm`;
  const env = {
    API_KEYS: 'key=acme/carl:customer',
    OIDC_ISSUER: url,
    OIDC_AUDIENCE: 'shop',
    OIDC_TENANT_CLAIM: 'org',
    OIDC_ROLES_CLAIM: 'realm_access.roles',
  };
  client = new TestClient(await openService(crane, stack, env, { takesMessages: false }), 'key');
});
afterAll(async () => {
  await client.close();
  issuer.closeAllConnections();
  issuer.close();
});

const make = (roles: string[], expiresIn = '1m') =>
  new SignJWT({ org: 'acme', realm_access: { roles } })
    .setProtectedHeader({ alg: 'EdDSA', kid: 'one' })
    .setIssuer(url)
    .setAudience('shop')
    .setSubject('auth0|alice')
    .setExpirationTime(expiresIn)
    .sign(privateKey);
const ask = (key: string) => client.call('GET', '/cranes', { key });

it('R54 a token says who calls, beside the keys of the environment', async () => {
  const token = await make(['customer', 'barista']);
  const alice = { tenant: 'acme', principal: 'auth0%7Calice', roles: ['customer'] };
  expect((await ask(token)).json()).toEqual(alice);
  expect((await ask('key')).json()).toMatchObject({ principal: 'carl' });
});

it.each<[string, () => Promise<string>, number, string]>([
  ['a role that the route does not let in', () => make(['operator']), 403, 'forbidden'],
  ['no role that is known here', () => make(['barista']), 403, 'token_incomplete'],
  ['a time that is over', () => make(['customer'], '-1m'), 401, 'unauthenticated'],
])('R54 a token with %s is refused', async (_, token, status, code) => {
  expectProblem(await ask(await token()), status, code);
});

it('R54 when the issuer is away, a token that needs it may come again; others are as good as before', async () => {
  await ask(await make(['customer']));
  issuer.closeAllConnections();
  await new Promise((resolve) => issuer.close(resolve));
  expect((await ask(await make(['customer']))).statusCode).toBe(200);
  const env = { API_KEYS: 'key=acme/carl:customer', OIDC_ISSUER: url, OIDC_AUDIENCE: 'shop' };
  const fresh = new TestClient(await openService(crane, stack, env, { takesMessages: false }), 'key');
  try {
    const answer = await fresh.call('GET', '/cranes', { key: await make(['customer']) });
    expectProblem(answer, 503, 'unavailable');
    expect(answer.headers['retry-after']).toBe('1');
    expect((await fresh.call('GET', '/cranes')).statusCode).toBe(200);
  } finally {
    await fresh.close();
  }
});
