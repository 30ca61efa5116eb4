import 'reflect-metadata';
import type { Caller, Role } from '@shop/http';
import { Problem } from '@shop/problem';
import {
  checkGrant,
  findOrAllow,
  MAX_KEYS,
  MAX_KEYS_PER_TENANT,
  type StoredKey,
  type Surroundings,
  tenantFor,
} from './api-key';

const name = { tenant: 'acme', id: 'front' };
const wanted = { sha256: 'a', principal: 'alice', roles: ['customer'] as Role[], expiresAt: new Date(2_000) };
const there: StoredKey = {
  ...name,
  ...wanted,
  createdAt: new Date(0),
  createdBy: 'acme/ann',
  revokedAt: null,
  revokedBy: null,
  lastUsedAt: null,
};
const nothing: Surroundings = {
  alike: [],
  isInEnvironment: false,
  live: { ofTenant: 0, all: 0 },
  now: new Date(1_000),
};

function codeOf(decide: () => unknown): unknown {
  try {
    return decide();
  } catch (error) {
    return error instanceof Problem ? error.code : error;
  }
}

it.each<[string, Partial<Surroundings>, unknown]>([
  ['is added', {}, undefined],
  ['is there', { alike: [there] }, there],
  ['is there, and has expired', { alike: [there], now: new Date(3_000) }, there],
  [
    'is there, and there is no room for another one',
    { alike: [there], live: { ofTenant: MAX_KEYS_PER_TENANT, all: 0 } },
    there,
  ],
  ['was revoked', { alike: [{ ...there, revokedAt: new Date(1) }] }, 'api_key_revoked'],
  ['has the id of another one', { alike: [{ ...there, principal: 'bob' }] }, 'api_key_id_conflict'],
  ['has the hash of another one', { alike: [{ ...there, id: 'back' }] }, 'api_key_taken'],
  ['has the hash of one of another tenant', { alike: [{ ...there, tenant: 'rival' }] }, 'api_key_taken'],
  ['has the hash of one of the environment', { isInEnvironment: true }, 'api_key_taken'],
  ['would have expired', { now: wanted.expiresAt }, 'expires_in_the_past'],
  ['is one too many for its tenant', { live: { ofTenant: MAX_KEYS_PER_TENANT, all: 0 } }, 'too_many_api_keys'],
  ['is one too many for all', { live: { ofTenant: 0, all: MAX_KEYS } }, 'too_many_api_keys'],
])('R54 a key that %s', (_, surroundings, expected) => {
  expect(codeOf(() => findOrAllow(name, wanted, { ...nothing, ...surroundings }))).toEqual(expected);
});

it('R54 the order of the roles makes no other key', () => {
  const roles: Role[] = ['operator', 'customer'];
  const same = { ...there, roles: ['customer', 'operator'] as Role[] };
  expect(findOrAllow(name, { ...wanted, roles }, { ...nothing, alike: [same] })).toBe(same);
});

const caller = (...roles: Role[]): Caller => ({ tenant: 'acme', principal: 'ann', roles });

it.each<[Role[], Role[], unknown]>([
  [['admin', 'customer'], ['customer'], undefined],
  [['admin', 'customer'], ['admin', 'customer'], undefined],
  [['admin', 'customer'], ['operator'], 'role_not_held'],
  [['admin'], ['customer'], 'role_not_held'],
  [['admin', 'customer', 'operator'], ['platform'], 'role_not_held'],
])('R54 who has %j hands out %j: %s', (own, granted, expected) => {
  expect(codeOf(() => checkGrant(caller(...own), granted))).toBe(expected);
});

it.each<[Role[], string | undefined, unknown]>([
  [['admin'], undefined, 'acme'],
  [['admin'], 'acme', 'acme'],
  [['admin'], 'rival', 'forbidden'],
  [['admin', 'platform'], 'rival', 'rival'],
])('R54 who has %j and names the tenant %s: %s', (own, asked, expected) => {
  expect(codeOf(() => tenantFor(caller(...own), asked))).toBe(expected);
});
